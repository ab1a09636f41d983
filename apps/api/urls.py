"""Every route of the API, aliases included, on one screen."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from .views.participants import ParticipantViewSet

participants = ParticipantViewSet.as_view({"get": "list", "post": "create"})

urlpatterns = [
    path("api/participants", participants, name="participants"),
    path("api/participants/", participants),
    path("api/v1/participants", participants),
    path("api/v1/participants/", participants),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/redoc/", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
]
