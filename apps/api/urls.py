"""Every route of the API, aliases included, on one screen."""

from django.urls import include, path
from oauth2_provider.views import (
    OAuthProtectedResourceMetadataView,
    OAuthServerMetadataView,
    RevokeTokenView,
)

from .views import oauth, schema, widget
from .views.participants import ParticipantViewSet

participants = ParticipantViewSet.as_view({"get": "list", "post": "create"})

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
