"""The rights, the six roles, and what became of the rights of the first version.

Until now whoever was logged in could read everything, and five permissions of four apps said the rest. So that
nobody is locked out, who has no role becomes a viewer, members of the old group `admin` become administrators, who
could open the support pages still may, and an old permission is replaced by the rights that it stood for, whether
a user or a group of the installation's own held it. A group with the name of one of the six roles becomes that
role, whatever it was before: an operator no longer tests values that are not saved.
"""

from django.conf import settings
from django.db import migrations, models

RIGHTS = {
    'connections_view': 'May see connections',
    'connections_edit': 'May change connections',
    'connections_enable': 'May enable or disable connections',
    'connections_test': 'May run tests',
    'connections_draft': 'May test values that are not saved',
    'connections_subject': 'May see the subject of a message',
    'tests_view': 'May see tests',
    'tests_cancel': 'May cancel the tests of others',
    'logins_lift': 'May let a suspended sign-in be tried again',
    'credentials_view': 'May see credentials',
    'credentials_manage': 'May change credentials',
    'trust_view': 'May see which certificates are trusted',
    'trust_decide': 'May decide which certificates are trusted',
    'clusters_view': 'May see clusters and STENGs',
    'clusters_manage': 'May change clusters and STENGs',
    'audit_view': 'May see the audit log',
    'users_manage': 'May see and change users and roles',
    'support_open': 'May open the support pages',
}

VIEWER = ('connections_view', 'tests_view', 'trust_view', 'clusters_view')
ROLES = {
    'viewer': VIEWER,
    'operator': (*VIEWER, 'connections_test', 'connections_enable', 'tests_cancel', 'logins_lift'),
    'editor': (*VIEWER, 'connections_edit', 'connections_draft', 'connections_test', 'connections_enable', 'connections_subject', 'credentials_view'),
    'security officer': (*VIEWER, 'credentials_view', 'credentials_manage', 'trust_decide', 'audit_view', 'connections_test'),
    'support': (*VIEWER, 'support_open', 'connections_test', 'credentials_view', 'audit_view'),
    'administrator': tuple(RIGHTS),
}

# What each permission of the first version let its holder do, beside reading.
STOOD_FOR = {
    ('connections', 'change_connection'): ('connections_edit', 'connections_enable'),
    ('connections', 'test_connection'): ('connections_test', 'connections_draft', 'tests_cancel'),
    ('untrusted_cache', 'decide_trust'): ('trust_decide',),
    ('cluster', 'change_cluster'): ('clusters_manage',),
    ('core', 'change_user'): ('users_manage',),
}


def make_rights(apps):
    """Make the permissions now: Django itself makes them only after the last migration."""
    ContentType = apps.get_model('contenttypes', 'ContentType')
    Permission = apps.get_model('auth', 'Permission')
    kind, _ = ContentType.objects.get_or_create(app_label='core', model='right')
    return {
        codename: Permission.objects.get_or_create(content_type=kind, codename=codename, defaults={'name': name})[0]
        for codename, name in RIGHTS.items()
    }


def forwards(apps, schema_editor):
    Group = apps.get_model('auth', 'Group')
    User = apps.get_model('core', 'User')
    rights = make_rights(apps)
    _carry_over(apps, rights)
    groups = {}
    for name, held in ROLES.items():
        groups[name], _ = Group.objects.get_or_create(name=name)
        groups[name].permissions.set([rights[codename] for codename in held])
    former = Group.objects.filter(name='admin').first()
    if former is not None:
        for user in former.user_set.all():
            user.groups.add(groups['administrator'])
        former.delete()
    for user in User.objects.filter(is_superuser=False).exclude(groups__name__in=list(ROLES)):
        user.groups.add(groups['viewer'])
    for user in User.objects.filter(is_superuser=False, is_staff=True):
        user.user_permissions.add(rights['support_open'])


def _carry_over(apps, rights):
    """Replace the permissions of the first version, of users and of groups, by what they stood for."""
    Permission = apps.get_model('auth', 'Permission')
    for (app, codename), successors in STOOD_FOR.items():
        for old in Permission.objects.filter(content_type__app_label=app, codename=codename):
            successor_rights = [rights[name] for name in successors]
            for user in old.user_set.all():
                user.user_permissions.add(*successor_rights)
                user.user_permissions.remove(old)
            for group in old.group_set.all():
                group.permissions.add(*successor_rights)
                group.permissions.remove(old)


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('core', '0002_audit'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Right',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'permissions': list(RIGHTS.items()),
                'managed': False,
                'default_permissions': (),
            },
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
