"""Who and what is there before something happens that is recorded."""

import pytest
from django.contrib.auth.models import Group

from cluster import services as clusters
from cluster.models import Cluster, Steng
from connections import services as connections
from connections.models import SmtpConnection
from core.models import User
from tests.auditing import PASSWORD
from tests.definitions import GOOD
from tests.integration.untrusted import NOW
from tests.lab.pki import Pki


@pytest.fixture(scope="module")
def pki():
    return Pki()


@pytest.fixture
def key_file(tmp_path, settings):
    settings.POSTERN_VAULT_KEY_FILE = tmp_path / "data" / "vault.key"
    return settings.POSTERN_VAULT_KEY_FILE


@pytest.fixture
def user():
    return User.objects.create_user("b.bianchi", password=PASSWORD)


@pytest.fixture
def group():
    return Group.objects.create(name="night shift")


@pytest.fixture
def connection():
    return connections.save(SmtpConnection, None, GOOD, user=None).connection


@pytest.fixture
def cluster():
    return clusters.save_cluster(Cluster(), {"name": "east"}, NOW)


@pytest.fixture
def steng(cluster):
    return clusters.save_steng(Steng(), {"name": "east-1", "cluster": cluster}, NOW)


@pytest.fixture
def log_in(client, user):
    def go(password=PASSWORD, username="b.bianchi"):
        return client.post("/login/", {"username": username, "password": password})

    return go
