"""Where work runs and what became of it, on the support pages: to be read, with what support may do about it."""

from django.contrib import admin

from cluster.admin.batches import BatchAdmin
from cluster.admin.logins import SuspendedLoginAdmin
from cluster.admin.places import ClusterAdmin, StengAdmin
from cluster.admin.tests import JobAdmin
from cluster.models import Batch, Cluster, Job, Steng, SuspendedLogin

admin.site.register(Batch, BatchAdmin)
admin.site.register(Cluster, ClusterAdmin)
admin.site.register(Job, JobAdmin)
admin.site.register(Steng, StengAdmin)
admin.site.register(SuspendedLogin, SuspendedLoginAdmin)
