"""Every route of the API, aliases included, on one screen."""

from django.urls import include, path
from oauth2_provider.views import (
    OAuthProtectedResourceMetadataView,
    OAuthServerMetadataView,
    RevokeTokenView,
)

from .views import oauth, schema, widget
from .views.participants import ParticipantViewSet
from .views.schedules import (
    ParticipantScheduleViewSet,
    RulePreviewViewSet,
    ScheduleActionViewSet,
    ScheduleViewSet,
)

participants = ParticipantViewSet.as_view({"get": "list", "post": "create"})

schedule_urls = [
    path("api/schedules", ScheduleViewSet.as_view({"get": "list"}), name="schedules"),
    path("api/schedules/preview", RulePreviewViewSet.as_view({"post": "rule"}), name="rule-preview"),
    path(
        "api/schedules/<uuid:schedule_id>",
        ScheduleViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="schedule",
    ),
    path("api/schedules/<uuid:schedule_id>/cancel", ScheduleActionViewSet.as_view({"post": "cancel"})),
    path("api/schedules/<uuid:schedule_id>/retry", ScheduleActionViewSet.as_view({"post": "retry"})),
    path("api/schedules/<uuid:schedule_id>/preview", RulePreviewViewSet.as_view({"post": "schedule"})),
]

# The library finds its own addresses under these names. What it has besides is not served: the device
# flow, OpenID Connect, and pages on which anybody could register a client.
oauth_urls = [
    path("o/authorize/", oauth.Authorize.as_view(), name="authorize"),
    path("o/token/", oauth.Token.as_view(), name="token"),
    path("o/revoke_token/", RevokeTokenView.as_view(), name="revoke-token"),
    path("o/introspect/", oauth.introspect, name="introspect"),
    path(
        ".well-known/oauth-authorization-server",
        OAuthServerMetadataView.as_view(),
        name="oauth-server-metadata",
    ),
    path(
        ".well-known/oauth-protected-resource",
        OAuthProtectedResourceMetadataView.as_view(),
        name="oauth-resource-metadata",
    ),
]

urlpatterns = [
    path("api/participants", participants, name="participants"),
    path("api/participants/", participants),
    path("api/v1/participants", participants),
    path("api/v1/participants/", participants),
    path(
        "api/participants/<uuid:participant_id>/schedules",
        ParticipantScheduleViewSet.as_view({"post": "create"}),
        name="participant-schedules",
    ),
    *schedule_urls,
    path("api/widget/<uuid:chatbot_id>/identify", widget.Identify.as_view(), name="widget-identify"),
    path("api/widget/<uuid:chatbot_id>/me", widget.Me.as_view(), name="widget-me"),
    path("api/schema/", schema.Schema.as_view(), name="schema"),
    path("api/docs/", schema.Docs.as_view(url_name="schema"), name="docs"),
    path("api/docs/oauth2-redirect.html", schema.OauthRedirect.as_view()),
    path("", include((oauth_urls, "oauth2_provider"))),
    path(
        "api/redoc/",
        schema.Redoc.as_view(url_name="schema"),
        name="redoc",
    ),
]
