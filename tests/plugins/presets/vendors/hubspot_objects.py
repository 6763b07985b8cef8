"""The five objects of HubSpot that have a preset, with their own properties."""

from __future__ import annotations

from typing import ClassVar

from tests.plugins.presets.vendors.hubspot import HubSpot


class Tickets(HubSpot):
    preset = "hubspot-tickets"
    listing = "/crm/v3/objects/tickets/search"
    prefix = "hubspot-ticket-"
    kind = ("Support Ticket", "HubSpot")
    begins = "createdate"
    usual: ClassVar = {
        "subject": "Question", "hs_pipeline_stage": "1", "hs_ticket_priority": "HIGH", "source_type": "EMAIL",
    }  # fmt: skip
    known: ClassVar = {"subject": "Question", "stage": "1", "priority": "HIGH", "channel": "EMAIL"}
    edited: ClassVar = {"hs_pipeline_stage": "4"}
    edited_details: ClassVar = {"stage": "4"}


class Deals(HubSpot):
    preset = "hubspot-deals"
    listing = "/crm/v3/objects/deals/search"
    prefix = "hubspot-deal-"
    kind = ("Deal", "HubSpot")
    begins = "createdate"
    usual: ClassVar = {
        "dealname": "Renewal", "dealstage": "qualifiedtobuy", "amount": "1500.50", "deal_currency_code": "EUR",
    }  # fmt: skip
    known: ClassVar = {"subject": "Renewal", "stage": "qualifiedtobuy", "amount": "1500.50", "currency": "EUR"}
    edited: ClassVar = {"dealstage": "closedwon", "closedate": "2026-03-04T09:00:00Z"}
    edited_details: ClassVar = {"stage": "closedwon", "closes": "2026-03-04T09:00:00Z"}


class Calls(HubSpot):
    preset = "hubspot-calls"
    listing = "/crm/v3/objects/calls/search"
    prefix = "hubspot-call-"
    kind = ("Call", "HubSpot")
    begins = "hs_timestamp"
    usual: ClassVar = {
        "hs_call_title": "Check-in", "hs_call_direction": "OUTBOUND", "hs_call_status": "COMPLETED",
        "hs_call_duration": "60000",
    }  # fmt: skip
    known: ClassVar = {"subject": "Check-in", "direction": "OUTBOUND", "status": "COMPLETED", "milliseconds": "60000"}
    edited: ClassVar = {"hs_call_duration": "61000"}
    edited_details: ClassVar = {"milliseconds": "61000"}


class Meetings(HubSpot):
    preset = "hubspot-meetings"
    listing = "/crm/v3/objects/meetings/search"
    prefix = "hubspot-meeting-"
    kind = ("Meeting", "HubSpot")
    begins = "hs_meeting_start_time"
    usual: ClassVar = {
        "hs_meeting_title": "Review", "hs_meeting_outcome": "SCHEDULED", "hs_meeting_end_time": "2026-02-20T09:00:00Z",
    }  # fmt: skip
    known: ClassVar = {"subject": "Review", "outcome": "SCHEDULED", "ends": "2026-02-20T09:00:00Z"}
    edited: ClassVar = {"hs_meeting_outcome": "COMPLETED", "hs_meeting_location": "Utrecht"}
    edited_details: ClassVar = {"outcome": "COMPLETED", "location": "Utrecht"}


class Emails(HubSpot):
    preset = "hubspot-emails"
    listing = "/crm/v3/objects/emails/search"
    prefix = "hubspot-email-"
    kind = ("E-mail", "HubSpot")
    begins = "hs_timestamp"
    usual: ClassVar = {"hs_email_subject": "Your order", "hs_email_direction": "EMAIL", "hs_email_status": "SENT"}
    known: ClassVar = {"subject": "Your order", "direction": "EMAIL", "status": "SENT"}
    edited: ClassVar = {"hs_email_status": "BOUNCED"}
    edited_details: ClassVar = {"status": "BOUNCED"}
