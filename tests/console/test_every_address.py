"""Every address of the admin, as every kind of person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.urls import URLResolver, get_resolver

from .conftest import ROLES, Console, signed_in

# What GET answers, in the order of ROLES. The row is the team's, the membership the viewer's own.
# L: to the login page. H: to another page of the admin.
#                                           owner editor viewer other stranger superuser anonymous
GET = """
    switch_team                             405   405   405   405   405   405   L
    index                                   200   200   200   200   200   200   L
    login                                   H     H     H     H     H     H     200
    logout                                  405   405   405   405   405   405   H
    password_change                         200   200   200   200   200   200   L
    password_change_done                    200   200   200   200   200   200   L
    autocomplete                            403   403   403   403   403   403   L
    jsi18n                                  200   200   200   200   200   200   L

    access_application_changelist           200   403   403   200   403   200   L
    access_application_add                  200   403   403   200   403   200   L
    access_application_history              200   403   403   404   404   200   L
    access_application_delete               200   403   403   404   403   200   L
    access_application_change               200   403   403   404   403   200   L

    access_embedkey_revoke                  200   403   403   404   403   200   L
    access_embedkey_changelist              200   403   403   200   403   200   L
    access_embedkey_add                     200   403   403   200   403   403   L
    access_embedkey_history                 200   403   403   404   404   200   L
    access_embedkey_delete                  403   403   403   403   403   403   L
    access_embedkey_change                  200   403   403   404   403   200   L

    chatbots_chatbot_new_identity_secret    200   403   403   404   403   200   L
    chatbots_chatbot_changelist             200   200   200   200   403   200   L
    chatbots_chatbot_add                    200   200   403   200   403   403   L
    chatbots_chatbot_history                200   200   200   404   404   200   L
    chatbots_chatbot_delete                 200   200   403   404   403   200   L
    chatbots_chatbot_change                 200   200   200   404   403   200   L

    chatbots_webhookendpoint_rotate         200   403   403   404   403   200   L
    chatbots_webhookendpoint_enable         403   403   403   404   403   403   L
    chatbots_webhookendpoint_disable        200   200   403   404   403   200   L
    chatbots_webhookendpoint_changelist     200   200   200   200   403   200   L
    chatbots_webhookendpoint_add            200   403   403   200   403   403   L
    chatbots_webhookendpoint_history        200   200   200   404   404   200   L
    chatbots_webhookendpoint_delete         200   403   403   404   403   200   L
    chatbots_webhookendpoint_change         200   200   200   404   403   200   L

    participants_participantdata_changelist H     H     H     H     H     H     L
    participants_participantdata_add        200   200   403   200   403   403   L
    participants_participantdata_history    200   200   200   404   404   200   L
    participants_participantdata_delete     200   200   403   404   403   200   L
    participants_participantdata_change     200   200   200   404   403   200   L

    access_apikey_revoke                    200   403   403   404   403   200   L
    access_apikey_changelist                200   403   403   200   403   200   L
    access_apikey_add                       200   403   403   200   403   403   L
    access_apikey_history                   200   403   403   404   404   200   L
    access_apikey_delete                    403   403   403   403   403   403   L
    access_apikey_change                    200   403   403   404   403   200   L

    schedules_scheduledmessage_cancel       200   200   403   404   403   200   L
    schedules_scheduledmessage_retry        403   403   403   404   403   403   L
    schedules_scheduledmessage_changelist   200   200   200   200   403   200   L
    schedules_scheduledmessage_add          200   200   403   200   403   403   L
    schedules_scheduledmessage_history      200   200   200   404   404   200   L
    schedules_scheduledmessage_delete       403   403   403   403   403   403   L
    schedules_scheduledmessage_change       200   200   200   404   403   200   L

    participants_participant_changelist     200   200   200   200   403   200   L
    participants_participant_add            200   200   403   200   403   403   L
    participants_participant_history        200   200   200   404   404   200   L
    participants_participant_delete         200   200   403   404   403   200   L
    participants_participant_change         200   200   200   404   403   200   L

    teams_team_enter                        403   403   403   403   403   200   L
    teams_team_changelist                   H     H     H     H     403   200   L
    teams_team_add                          403   403   403   403   403   200   L
    teams_team_history                      200   200   200   404   404   200   L
    teams_team_delete                       403   403   403   403   403   200   L
    teams_team_change                       200   200   200   404   403   200   L

    teams_membership_changelist             200   200   200   200   403   200   L
    teams_membership_add                    403   403   403   403   403   403   L
    teams_membership_history                200   200   200   404   404   200   L
    teams_membership_delete                 200   403   200   404   403   200   L
    teams_membership_change                 200   200   200   404   403   200   L

    auth_user_password_change               403   403   403   403   403   200   L
    teams_user_changelist                   403   403   403   403   403   200   L
    teams_user_add                          403   403   403   403   403   200   L
    teams_user_history                      404   404   404   404   404   200   L
    teams_user_delete                       403   403   403   403   403   200   L
    teams_user_change                       403   403   403   403   403   200   L

    app_list                                H     H     H     H     H     H     L
    catch_all                               404   404   404   404   404   404   L

    teams_membership_invite                 H     403   403   H     403   403   L

    teams_invitation_changelist             200   403   403   200   403   200   L
    teams_invitation_add                    200   403   403   200   403   403   L
    teams_invitation_history                200   403   403   404   404   200   L
    teams_invitation_delete                 200   403   403   404   403   200   L
    teams_invitation_change                 200   403   403   404   403   200   L
"""

# What POST without fields answers: 200 is a form that asks for what is missing.
POST = """
    switch_team                             404   404   404   404   404   H     L
    index                                   200   200   200   200   200   200   L
    login                                   200   200   200   200   200   200   200
    logout                                  200   200   200   200   200   200   H
    password_change                         200   200   200   200   200   200   L
    password_change_done                    405   405   405   405   405   405   L
    autocomplete                            405   405   405   405   405   405   L
    jsi18n                                  405   405   405   405   405   405   L

    access_application_changelist           200   403   403   200   403   200   L
    access_application_add                  200   403   403   200   403   200   L
    access_application_history              200   403   403   404   404   200   L
    access_application_delete               200   403   403   404   403   200   L
    access_application_change               200   403   403   404   403   200   L

    access_embedkey_revoke                  H     403   403   404   403   H     L
    access_embedkey_changelist              200   403   403   200   403   200   L
    access_embedkey_add                     200   403   403   200   403   403   L
    access_embedkey_history                 200   403   403   404   404   200   L
    access_embedkey_delete                  403   403   403   403   403   403   L
    access_embedkey_change                  200   403   403   404   403   200   L

    chatbots_chatbot_new_identity_secret    200   403   403   404   403   200   L
    chatbots_chatbot_changelist             200   200   200   200   403   200   L
    chatbots_chatbot_add                    200   200   403   200   403   403   L
    chatbots_chatbot_history                200   200   200   404   404   200   L
    chatbots_chatbot_delete                 200   200   403   404   403   200   L
    chatbots_chatbot_change                 200   200   403   404   403   200   L

    chatbots_webhookendpoint_rotate         200   403   403   404   403   200   L
    chatbots_webhookendpoint_enable         403   403   403   404   403   403   L
    chatbots_webhookendpoint_disable        H     H     403   404   403   H     L
    chatbots_webhookendpoint_changelist     200   200   200   200   403   200   L
    chatbots_webhookendpoint_add            200   403   403   200   403   403   L
    chatbots_webhookendpoint_history        200   200   200   404   404   200   L
    chatbots_webhookendpoint_delete         200   403   403   404   403   200   L
    chatbots_webhookendpoint_change         200   200   403   404   403   200   L

    participants_participantdata_changelist H     H     H     H     H     H     L
    participants_participantdata_add        200   200   403   200   403   403   L
    participants_participantdata_history    200   200   200   404   404   200   L
    participants_participantdata_delete     200   200   403   404   403   200   L
    participants_participantdata_change     200   200   403   404   403   200   L

    access_apikey_revoke                    H     403   403   404   403   H     L
    access_apikey_changelist                200   403   403   200   403   200   L
    access_apikey_add                       200   403   403   200   403   403   L
    access_apikey_history                   200   403   403   404   404   200   L
    access_apikey_delete                    403   403   403   403   403   403   L
    access_apikey_change                    403   403   403   403   403   403   L

    schedules_scheduledmessage_cancel       H     H     403   404   403   H     L
    schedules_scheduledmessage_retry        403   403   403   404   403   403   L
    schedules_scheduledmessage_changelist   200   200   200   200   403   200   L
    schedules_scheduledmessage_add          200   200   403   200   403   403   L
    schedules_scheduledmessage_history      200   200   200   404   404   200   L
    schedules_scheduledmessage_delete       403   403   403   403   403   403   L
    schedules_scheduledmessage_change       200   200   403   404   403   200   L

    participants_participant_changelist     200   200   200   200   403   200   L
    participants_participant_add            200   200   403   200   403   403   L
    participants_participant_history        200   200   200   404   404   200   L
    participants_participant_delete         200   200   403   404   403   200   L
    participants_participant_change         200   200   403   404   403   200   L

    teams_team_enter                        403   403   403   403   403   H     L
    teams_team_changelist                   200   200   200   200   403   200   L
    teams_team_add                          403   403   403   403   403   200   L
    teams_team_history                      200   200   200   404   404   200   L
    teams_team_delete                       403   403   403   403   403   200   L
    teams_team_change                       200   403   403   404   403   200   L

    teams_membership_changelist             200   200   200   200   403   200   L
    teams_membership_add                    403   403   403   403   403   403   L
    teams_membership_history                200   200   200   404   404   200   L
    teams_membership_delete                 200   403   200   404   403   200   L
    teams_membership_change                 200   403   403   404   403   200   L

    auth_user_password_change               403   403   403   403   403   200   L
    teams_user_changelist                   403   403   403   403   403   200   L
    teams_user_add                          403   403   403   403   403   200   L
    teams_user_history                      404   404   404   404   404   200   L
    teams_user_delete                       403   403   403   403   403   200   L
    teams_user_change                       403   403   403   403   403   200   L

    app_list                                H     H     H     H     H     H     L
    catch_all                               404   404   404   404   404   404   L

    teams_membership_invite                 H     403   403   H     403   403   L

    teams_invitation_changelist             200   403   403   200   403   200   L
    teams_invitation_add                    200   403   403   200   403   403   L
    teams_invitation_history                200   403   403   404   404   200   L
    teams_invitation_delete                 200   403   403   404   403   200   L
    teams_invitation_change                 403   403   403   403   403   403   L
"""


def table(text: str) -> dict[str, dict[str, str]]:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return {name: dict(zip(ROLES, answers, strict=True)) for name, *answers in lines}


def addresses() -> Iterator[tuple[str, str]]:
    """The name and the pattern of every route below /admin/."""
    for entry in get_resolver().url_patterns:
        if isinstance(entry, URLResolver) and entry.namespace == "admin":
            yield from patterns(entry.url_patterns)


def patterns(routes: list, prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, URLResolver):
            yield from patterns(route.url_patterns, prefix + str(route.pattern))
        elif route.name:
            yield route.name, prefix + str(route.pattern)
        elif "url" in str(route.pattern):
            yield "catch_all", str(route.pattern)
        else:
            assert str(route.pattern) == "<path:object_id>/", "a redirect from a row's address to its page"


def path_of(name: str, pattern: str, pks: dict[str, int]) -> str:
    if name == "app_list":
        return "/admin/teams/"
    if name == "catch_all":
        return "/admin/no-such-page/"
    model = "_".join(pattern.split("/")[:2])
    return "/admin/" + pattern.replace("<path:object_id>", str(pks.get(model))).replace(
        "<id>", str(pks["teams_user"])
    )


def said(response) -> str:
    if response.status_code in (301, 302):
        return "L" if response["Location"].startswith("/admin/login/") else "H"
    return str(response.status_code)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_table_names_every_address(method):
    assert set(table({"GET": GET, "POST": POST}[method])) == {name for name, _ in addresses()}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("role", ROLES)
def test_it_answers_each_person_as_the_table_says(console: Console, role, method):
    expected = table({"GET": GET, "POST": POST}[method])
    user, answers = console.user(role), {}
    for name, pattern in addresses():
        with transaction.atomic():
            client = signed_in(user)
            answers[name] = said(client.generic(method, path_of(name, pattern, console.pks)))
            transaction.set_rollback(True)
    assert answers == {name: row[role] for name, row in expected.items()}
