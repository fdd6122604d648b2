"""The REST resources of users and their roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import PAGES, ApiView, Pagination, refuse_unknown_filters
from core.errors import invalid, refuse_unknown
from core.models import User
from core.requests import read_object, user_of
from core.users import selectors, services


class UserSerializer(serializers.Serializer[Any]):
    """A user; `roles` are names."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField()
    is_active = serializers.BooleanField()
    is_staff = serializers.BooleanField()
    is_superuser = serializers.BooleanField()
    must_change_password = serializers.BooleanField()
    last_login = serializers.DateTimeField(allow_null=True)
    roles = serializers.ListField(child=serializers.CharField())


class RolesSerializer(serializers.Serializer[Any]):
    """The roles that a user shall have, and no other."""

    roles = serializers.ListField(child=serializers.CharField())


class UserListView(ApiView):
    """Users."""

    acts = {"get": "users.manage"}

    @extend_schema(
        operation_id="users_list",
        parameters=[OpenApiParameter("q"), OpenApiParameter("limit", int), OpenApiParameter("offset", int)],
        responses=UserSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List users by name."""
        refuse_unknown_filters(request, PAGES | {"q"})
        paginator = Pagination()
        rows = selectors.users(request.query_params.get("q", ""))
        page = paginator.paginate_queryset(rows, request, view=self) or []
        return paginator.get_paginated_response([_to_json(row) for row in page])


class UserDetailView(ApiView):
    """One user."""

    acts = {"get": "users.manage"}

    @extend_schema(operation_id="users_read", responses=UserSerializer)
    def get(self, request: Request, pk: int) -> Response:  # noqa: ARG002
        """Read a user."""
        return Response(_to_json(_person(pk)))


class UserRolesView(ApiView):
    """The roles of a user."""

    acts = {"put": "users.manage"}

    @extend_schema(operation_id="users_roles", request=RolesSerializer, responses=UserSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Give exactly these roles; the second identical call changes nothing."""
        services.change(_person(pk), roles=_roles(read_object(request.data)), by=user_of(request))
        return Response(_to_json(_person(pk)))


def _roles(body: Mapping[str, Any]) -> list[str]:
    refuse_unknown(body, {"roles"})
    if "roles" not in body:
        raise ValidationError({"roles": [invalid("required", "This field is mandatory.")]})
    roles = body["roles"]
    if not isinstance(roles, list) or not all(isinstance(name, str) for name in roles):
        raise ValidationError({"roles": [invalid("invalid_type", "Expected a list of names.")]})
    return roles


def _person(pk: int) -> User:
    person = selectors.users().filter(pk=pk).first()
    if person is None:
        raise Http404
    return person


def _to_json(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "username": user.username,
        "email": user.email,
        "is_active": user.is_active,
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
        "must_change_password": user.must_change_password,
        "last_login": user.last_login,
        "roles": [role.name for role in user.groups.all()],
    }
