"""The sidebar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from apps.access.scopes import CHATBOTS_READ, CREDENTIALS, MEMBERS_READ, MEMBERS_WRITE, PARTICIPANTS_READ
from apps.participants.models import Participant

from .access import access_of


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links, each with the scope that it takes: a colleague of the role table."""
    scopes = access_of(request).scopes

    def link(title: str, icon: str, view: str, scope: str) -> dict[str, Any]:
        return {
            "title": title,
            "icon": icon,
            "link": reverse(f"admin:{view}_changelist"),
            "permission": lambda _: scope in scopes,
        }

    home = {"title": "Home", "icon": "home", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [
        {"items": [home]},
        {
            "title": "People",
            "items": [
                link("Participants", "group", "participants_participant", PARTICIPANTS_READ),
                link("Schedules", "schedule", "schedules_scheduledmessage", PARTICIPANTS_READ),
                link("Chatbots", "smart_toy", "chatbots_chatbot", CHATBOTS_READ),
                link("Webhooks", "webhook", "chatbots_webhookendpoint", CHATBOTS_READ),
            ],
        },
        {
            "title": "Access",
            "items": [
                link("Members", "badge", "teams_membership", MEMBERS_READ),
                link("Invitations", "mail", "teams_invitation", MEMBERS_WRITE),
                link("API keys", "key", "access_apikey", CREDENTIALS),
                link("OAuth applications", "apps", "access_application", CREDENTIALS),
                link("Embed keys", "code", "access_embedkey", CREDENTIALS),
                link("Team", "domain", "teams_team", MEMBERS_READ),
            ],
        },
    ]
    if access_of(request).is_superuser:
        users = {"title": "Users", "icon": "manage_accounts", "link": reverse("admin:teams_user_changelist")}
        groups.append({"title": "Installation", "items": [users]})
    return groups


@dataclass(frozen=True, slots=True)
class TeamChoice:
    """`value` is what `switch_team` is told; empty for all teams."""

    value: str
    label: str
    is_current: bool


def team_choices(request: HttpRequest) -> list[TeamChoice]:
    """Where there is a choice: a person's teams. Superusers enter any other from the list of teams."""
    access = access_of(request)
    teams = {membership.team_id: membership.team for membership in access.memberships}
    if access.is_superuser and access.team:
        teams.setdefault(access.team.pk, access.team)
    choices = [TeamChoice(str(pk), team.name, team == access.team) for pk, team in teams.items()]
    if access.is_superuser:
        choices.insert(0, TeamChoice("", "All teams", access.team is None))
    return choices if len(choices) > 1 else []


def team_name(request: HttpRequest) -> str:
    """Below the service's name, so that nobody works in another team than they think."""
    access = access_of(request)
    if access.team:
        return access.team.name
    return "All teams" if access.is_superuser else ""


def stylesheet(request: HttpRequest) -> str:
    return static("console/admin.css")


def tiles(request: HttpRequest) -> list[dict[str, str]]:
    """The ways on from the first page, with what they are for."""
    about = {
        "Participants": "Who your chatbots talk to, and what each knows of them.",
        "Schedules": "When a chatbot is prompted to speak to whom.",
        "Chatbots": "Their ids for the API.",
        "Webhooks": "Where chatbots are prompted, and whether they answer.",
        "Members": "Who works in this team, and as what.",
        "API keys": "What programs sign in with.",
        "OAuth applications": "What people let act for them, and machines.",
        "Embed keys": "What lets your site's pages meet a chatbot.",
    }
    links = [item for group in sidebar(request) for item in group["items"]]
    return [
        {"title": item["title"], "icon": item["icon"], "link": item["link"], "text": about[item["title"]]}
        for item in links
        if item["title"] in about and item["permission"](request)
    ]


def newest_participants(request: HttpRequest) -> list[Participant]:
    team = access_of(request).team
    if team is None or PARTICIPANTS_READ not in access_of(request).scopes:
        return []
    return list(Participant.objects.for_team(team).order_by("-id")[:6])


def icon(request: HttpRequest) -> str:
    return static("console/icon.svg")
