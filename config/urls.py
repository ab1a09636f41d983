"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path

from apps.api.views import health, pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("admin/", admin.site.urls),
    path("", include("apps.api.urls")),
]

handler400 = "apps.api.views.pages.bad_request"
handler404 = "apps.api.views.pages.not_found"
handler500 = "apps.api.errors.internal_error"
