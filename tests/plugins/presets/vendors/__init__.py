"""The vendors that have presets."""

from __future__ import annotations

from collections.abc import Sequence

from tests.plugins.presets.api import Api
from tests.plugins.presets.vendors import hubspot_objects, pipedrive
from tests.plugins.presets.vendors.dynamics import Dynamics
from tests.plugins.presets.vendors.freshdesk import Freshdesk
from tests.plugins.presets.vendors.gong import Gong
from tests.plugins.presets.vendors.intercom import Intercom
from tests.plugins.presets.vendors.jira import JiraCloud, JiraDataCenter
from tests.plugins.presets.vendors.redmine import Redmine
from tests.plugins.presets.vendors.request_tracker import RequestTracker
from tests.plugins.presets.vendors.salesforce import Salesforce
from tests.plugins.presets.vendors.servicenow import ServiceNow
from tests.plugins.presets.vendors.trackers import GitHub, GitLab
from tests.plugins.presets.vendors.zendesk import Zendesk

VENDORS: Sequence[type[Api]] = (
    Dynamics,
    Freshdesk,
    GitHub,
    GitLab,
    Gong,
    hubspot_objects.Calls,
    hubspot_objects.Deals,
    hubspot_objects.Emails,
    hubspot_objects.Meetings,
    hubspot_objects.Tickets,
    Intercom,
    JiraCloud,
    JiraDataCenter,
    pipedrive.Activities,
    pipedrive.Deals,
    Redmine,
    RequestTracker,
    Salesforce,
    ServiceNow,
    Zendesk,
)
WITH_EVENTS = tuple(each for each in VENDORS if each not in (Gong, pipedrive.Activities))
NUMBERED = (Freshdesk, hubspot_objects.Tickets, JiraDataCenter, Redmine, RequestTracker, ServiceNow)
"""Their pages are numbers, or what amounts to that, so a record that changes moves others from page to page."""
