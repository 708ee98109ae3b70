"""Logging in and out."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from webapp.accounts.views import LogIn, admin_login

urlpatterns = [
    path("login/", LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/login/", admin_login),  # one door, one limit on wrong passwords
]
