"""cgsync brings records from anywhere into CustomerGauge as activities, and can prove what it sent."""

__version__ = "0.1.0"
