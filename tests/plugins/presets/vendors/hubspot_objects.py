"""The five objects of HubSpot that have a preset, with their own properties."""

from __future__ import annotations

from typing import ClassVar

from tests.plugins.presets.vendors.hubspot import HubSpot, activities

TICKET = {"subject": "Question", "stage": "1", "priority": "HIGH", "channel": "EMAIL"}
DEAL = {"subject": "Renewal", "stage": "qualifiedtobuy", "amount": "1500.50", "currency": "EUR"}
CALL = {"subject": "Check-in", "direction": "OUTBOUND", "status": "COMPLETED", "milliseconds": "60000"}
MEETING = {"subject": "Review", "outcome": "SCHEDULED", "ends": "2026-02-20T09:00:00Z"}
EMAIL = {"subject": "Your order", "direction": "EMAIL", "status": "SENT"}


class Tickets(HubSpot):
    preset = "hubspot-tickets"
    listing = "/crm/v3/objects/tickets/search"
    begins = "createdate"
    usual: ClassVar = {
        "subject": "Question",
        "hs_pipeline_stage": "1",
        "hs_ticket_priority": "HIGH",
        "source_type": "EMAIL",
    }
    edited: ClassVar = {"hs_pipeline_stage": "4"}
    first = activities("ticket", "Support Ticket", {1: TICKET, 2: TICKET, 4: TICKET})
    then = activities("ticket", "Support Ticket", {1: {**TICKET, "stage": "4"}, 5: TICKET})


class Deals(HubSpot):
    preset = "hubspot-deals"
    listing = "/crm/v3/objects/deals/search"
    begins = "createdate"
    usual: ClassVar = {
        "dealname": "Renewal",
        "dealstage": "qualifiedtobuy",
        "amount": "1500.50",
        "deal_currency_code": "EUR",
    }
    edited: ClassVar = {"dealstage": "closedwon", "closedate": "2026-03-04T09:00:00Z"}
    first = activities("deal", "Deal", {1: DEAL, 2: DEAL, 4: DEAL})
    then = activities("deal", "Deal", {1: {**DEAL, "stage": "closedwon", "closes": "2026-03-04T09:00:00Z"}, 5: DEAL})


class Calls(HubSpot):
    preset = "hubspot-calls"
    listing = "/crm/v3/objects/calls/search"
    begins = "hs_timestamp"
    usual: ClassVar = {
        "hs_call_title": "Check-in", "hs_call_direction": "OUTBOUND", "hs_call_status": "COMPLETED",
        "hs_call_duration": "60000",
    }  # fmt: skip
    edited: ClassVar = {"hs_call_duration": "61000"}
    first = activities("call", "Call", {1: CALL, 2: CALL, 4: CALL})
    then = activities("call", "Call", {1: {**CALL, "milliseconds": "61000"}, 5: CALL})


class Meetings(HubSpot):
    preset = "hubspot-meetings"
    listing = "/crm/v3/objects/meetings/search"
    begins = "hs_meeting_start_time"
    usual: ClassVar = {
        "hs_meeting_title": "Review", "hs_meeting_outcome": "SCHEDULED", "hs_meeting_end_time": "2026-02-20T09:00:00Z",
    }  # fmt: skip
    edited: ClassVar = {"hs_meeting_outcome": "COMPLETED", "hs_meeting_location": "Utrecht"}
    first = activities("meeting", "Meeting", {1: MEETING, 2: MEETING, 4: MEETING})
    then = activities("meeting", "Meeting", {1: {**MEETING, "outcome": "COMPLETED", "location": "Utrecht"}, 5: MEETING})


class Emails(HubSpot):
    preset = "hubspot-emails"
    listing = "/crm/v3/objects/emails/search"
    begins = "hs_timestamp"
    usual: ClassVar = {"hs_email_subject": "Your order", "hs_email_direction": "EMAIL", "hs_email_status": "SENT"}
    edited: ClassVar = {"hs_email_status": "BOUNCED"}
    first = activities("email", "E-mail", {1: EMAIL, 2: EMAIL, 4: EMAIL})
    then = activities("email", "E-mail", {1: {**EMAIL, "status": "BOUNCED"}, 5: EMAIL})
