"""A Django REST framework application with one table, paged in each of its three styles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django
from django.conf import settings

PAGE = 40


def application(folder: Path, count: int) -> Any:
    """The WSGI application; its database is a file in the folder, with so many rows."""
    settings.configure(
        SECRET_KEY="for a test",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="tests.real.drf_app",
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}},
        INSTALLED_APPS=[],
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_PERMISSION_CLASSES": [],
            "UNAUTHENTICATED_USER": None,
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        },
    )
    django.setup()
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection, models
    from django.urls import path
    from rest_framework import generics, pagination, serializers

    class Row(models.Model):
        name = models.CharField(max_length=40)

        class Meta:
            app_label = "rows"

    class RowSerializer(serializers.ModelSerializer):
        class Meta:
            model = Row
            fields = ("id", "name")

    with connection.schema_editor() as editor:
        editor.create_model(Row)
    Row.objects.bulk_create(Row(name=f"row {number}") for number in range(1, count + 1))

    def listed(style: type) -> Any:
        class Paged(style):  # type: ignore[misc, valid-type]
            page_size = default_limit = PAGE
            page_size_query_param = "page_size"
            ordering = "id"

        class Rows(generics.ListAPIView):
            queryset = Row.objects.order_by("id")
            serializer_class = RowSerializer
            pagination_class = Paged

        return Rows.as_view()

    urlpatterns.extend(
        [
            path("page/", listed(pagination.PageNumberPagination)),
            path("offset/", listed(pagination.LimitOffsetPagination)),
            path("cursor/", listed(pagination.CursorPagination)),
        ]
    )
    return WSGIHandler()


urlpatterns: list[Any] = []
