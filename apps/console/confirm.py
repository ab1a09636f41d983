"""Buttons on the page of a row that ask before they do something."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.enums import ActionVariant

from apps.errors import DomainError

Step = Callable[[Any, HttpRequest, Any], HttpResponse | None]


def confirmed(
    *, button: str, question: str, text: str, permission: str, icon: str, danger: bool = True
) -> Callable[[Step], Any]:
    """Makes a method `(self, request, row)` of a TeamAdmin a button of its rows' pages: list its name
    in `actions_detail`.

    `permission` names `has_<permission>_permission(request, obj=None)`, which unfold calls with the
    row's key as `obj`. GET asks; POST does it and goes back to the row's page, unless the method
    answers itself.
    """

    def decorate(do: Step) -> Any:
        @action(
            description=button,
            permissions=[permission],
            icon=icon,
            variant=ActionVariant.DANGER if danger else ActionVariant.DEFAULT,
        )
        @wraps(do)
        def view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
            row = self.get_object(request, unquote(object_id))
            if row is None:
                raise Http404
            back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(row.pk)])
            if request.method != "POST":
                asked = {"title": question, "text": text, "button": button, "danger": danger, "back": back}
                context = self.admin_site.each_context(request) | asked | {"opts": self.opts, "original": row}
                return TemplateResponse(request, "console/confirm.html", context)
            try:
                answer = do(self, request, row)
            except DomainError as error:
                messages.error(request, error.message)
                answer = None
            return answer or HttpResponseRedirect(back)

        return view

    return decorate
