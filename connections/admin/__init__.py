"""Connections on the support pages: one list of all, and the whole definition of each kind."""

from django.contrib import admin

from connections.admin.all_kinds import ConnectionAdmin
from connections.admin.definitions import MailboxConnectionAdmin, SmtpConnectionAdmin
from connections.models import Connection, MailboxConnection, SmtpConnection

admin.site.register(Connection, ConnectionAdmin)
admin.site.register(SmtpConnection, SmtpConnectionAdmin)
admin.site.register(MailboxConnection, MailboxConnectionAdmin)
