"""Every address of the service."""

from django.urls import include, path
from django.views.generic import RedirectView

from apps.api.views import health
from apps.console import invitations, pages
from apps.console.site import site

urlpatterns = [
    path("", include("apps.api.urls")),
    path("", pages.home, name="home"),
    path("favicon.ico", pages.favicon),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("invitation/<str:secret>", invitations.accept, name="invitation"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", site.urls),
]

handler400 = "apps.console.pages.bad_request"
handler403 = "apps.console.pages.forbidden"
handler404 = "apps.console.pages.not_found"
handler500 = "apps.console.pages.failed"
