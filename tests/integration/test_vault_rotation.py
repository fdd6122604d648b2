"""The keys of the vault over time: set up once, checked, rotated, pruned, and never another database's."""

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from core.models import ApiToken
from credentials import key_ring, services, vault
from credentials.key_ring import VaultUnavailable
from credentials.models import VaultCheck
from credentials.services import VaultMismatch
from credentials.vault import SecretUnreadable


@pytest.fixture
def key_file(tmp_path, settings, db):
    settings.POSTERN_VAULT_KEY_FILE = tmp_path / "data" / "vault.key"
    services.prepare_vault()
    return settings.POSTERN_VAULT_KEY_FILE


@pytest.fixture
def rows(key_file, make_user, monkeypatch):
    """Return rows with a sealed text each, in a column that is registered: the name of a token does for it."""
    monkeypatch.setattr(vault, "_columns", {})
    vault.register_sealed(ApiToken, "name", "name", record="digest")
    user = make_user()
    tokens = []
    for number in range(3):
        token = ApiToken(user=user, digest=f"{number:064}", prefix="pst_")
        token.name = vault.seal(f"secret {number}", token.digest, "name")
        token.save()
        tokens.append(token)
    return tokens


def opened(rows):
    for row in rows:
        row.refresh_from_db()
    return [vault.open_(row.name, row.digest, "name").reveal() for row in rows]


def test_the_set_up_makes_key_and_check(key_file):
    services.check_vault()
    assert (key_file.stat().st_mode & 0o777, VaultCheck.objects.count()) == (0o600, 1)


def test_a_second_set_up_changes_nothing(key_file):
    before = (key_file.read_bytes(), VaultCheck.objects.get().sealed)
    services.prepare_vault()
    assert (key_file.read_bytes(), VaultCheck.objects.get().sealed) == before


def test_a_database_sealed_with_another_key_is_one_sentence(key_file):
    key_ring.write(key_file, (key_ring.new_key(),))
    with pytest.raises(VaultMismatch, match=r"^This database was sealed with another key than .*\.$"):
        services.prepare_vault()


def test_a_lost_key_is_not_replaced_by_a_new_one(key_file):
    key_file.unlink()
    with pytest.raises(VaultMismatch, match="is missing"):
        services.prepare_vault()
    assert not key_file.exists()


def test_a_vault_that_was_not_set_up_is_one_sentence(db):
    with pytest.raises(VaultUnavailable, match="not set up"):
        services.check_vault()


def test_a_rotation_seals_every_row_with_the_new_key(rows):
    old = vault.ring().current.id
    assert services.rotate() == services.Resealed(done=3, unreadable=0)
    assert opened(rows) == ["secret 0", "secret 1", "secret 2"]
    new = vault.ring().current.id
    assert {vault.key_id_of(row.name) for row in rows} == {new}
    assert [key.id for key in vault.ring().keys] == [new, old]
    services.check_vault()


def test_a_row_that_does_not_open_stays_as_it_is_and_is_counted(rows):
    damaged = rows[1].name = rows[0].name
    rows[1].save()
    assert services.rotate() == services.Resealed(done=2, unreadable=1)
    rows[1].refresh_from_db()
    assert rows[1].name == damaged


def test_a_rotation_goes_in_batches(rows, monkeypatch):
    monkeypatch.setattr(services.keys, "_BATCH", 2)
    assert services.rotate().done == 3


def test_without_the_new_key_a_resealed_row_does_not_open(rows):
    before = vault.ring().keys
    services.rotate()
    key_ring.write(vault.settings.POSTERN_VAULT_KEY_FILE, before)
    with pytest.raises(SecretUnreadable):
        opened(rows)


def test_old_keys_that_nothing_needs_are_removed(rows):
    services.rotate()
    services.rotate()
    assert (services.prune(), len(vault.ring().keys), opened(rows)[0]) == (2, 1, "secret 0")


def test_an_old_key_that_a_row_needs_stays(rows):
    kept = rows[2].name
    services.rotate()
    ApiToken.objects.filter(pk=rows[2].pk).update(name=kept)
    assert (services.prune(), opened(rows)[2]) == (0, "secret 2")


def test_the_command_rotates_and_says_so(rows, capsys):
    call_command("vault", "rotate")
    assert capsys.readouterr().out == "New key in use; 3 secrets sealed anew. Back up the key file.\n"


def test_the_command_ends_with_status_2_and_a_sentence(key_file):
    key_file.chmod(0o644)
    with pytest.raises(CommandError, match="open to others") as error:
        call_command("vault", "check")
    assert error.value.returncode == 2


def test_every_sealed_column_is_known_to_the_rotation():
    sealed = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if "sealed" in field.name and model is not VaultCheck
    }
    assert sealed == {(column.model, column.column) for column in vault.sealed_columns()}


def test_ready_says_so(client, key_file):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "failing": []})


def test_not_ready_names_what_fails_and_no_more(client, key_file):
    key_file.unlink()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "failing": ["vault"]})
