"""The vault: what it seals opens as it was, in its place, with its key, or not at all."""

import os

import pytest

from credentials import key_ring, vault
from credentials.key_ring import VaultUnavailable
from credentials.vault import SecretUnreadable

RECORD = "7d0c3f4e-2f0b-4a7e-9a4f-0d6f4b8f5a11"


@pytest.fixture
def key_file(tmp_path, settings):
    path = tmp_path / "vault.key"
    settings.POSTERN_VAULT_KEY_FILE = path
    key_ring.create(path)
    return path


@pytest.mark.parametrize("text", ["", "geheim", " edge blanks ", "ü😀", "x" * 4096, "half \ud800"])
def test_what_was_sealed_opens_as_it_was(key_file, text):
    assert vault.open_(vault.seal(text, RECORD, "password"), RECORD, "password").reveal() == text


def test_the_sealed_text_does_not_hold_the_secret(key_file):
    assert "geheim" not in vault.seal("geheim", RECORD, "password")


def test_the_same_secret_is_never_sealed_alike(key_file):
    assert vault.seal("geheim", RECORD, "password") != vault.seal("geheim", RECORD, "password")


def test_a_changed_character_anywhere_does_not_open(key_file):
    sealed = vault.seal("geheim", RECORD, "password")
    for place, character in enumerate(sealed):
        changed = sealed[:place] + ("A" if character != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(SecretUnreadable):
            vault.open_(changed, RECORD, "password")


def test_a_flipped_bit_anywhere_does_not_open(key_file):
    sealed = vault.seal("geheim", RECORD, "password").encode()
    for place in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            with pytest.raises(SecretUnreadable):
                vault.open_(changed.decode("latin-1"), RECORD, "password")


@pytest.mark.parametrize("length", [0, 1, 19, 20, 40, 60])
def test_a_cut_text_does_not_open(key_file, length):
    with pytest.raises(SecretUnreadable):
        vault.open_(vault.seal("geheim", RECORD, "password")[:length], RECORD, "password")


def test_another_spelling_of_the_same_bytes_does_not_open(key_file):
    with pytest.raises(SecretUnreadable):
        vault.open_(vault.seal("geheim", RECORD, "password") + "=", RECORD, "password")


@pytest.mark.parametrize(
    ("record", "field"),
    [("another-record", "password"), (RECORD, "pop_password"), (RECORD + "p", "assword"), (RECORD[:-1], "1password")],
)
def test_a_text_moved_to_another_row_or_field_does_not_open(key_file, record, field):
    sealed = vault.seal("geheim", RECORD, "password")
    with pytest.raises(SecretUnreadable):
        vault.open_(sealed, record, field)


def test_an_old_key_still_opens(key_file):
    sealed = vault.seal("geheim", RECORD, "password")
    key_ring.write(key_file, (key_ring.new_key(), *vault.ring().keys))
    assert vault.open_(sealed, RECORD, "password").reveal() == "geheim"


def test_the_first_key_seals(key_file):
    key = key_ring.new_key()
    key_ring.write(key_file, (key, *vault.ring().keys))
    assert vault.key_id_of(vault.seal("geheim", RECORD, "password")) == key.id


def test_without_its_key_a_text_does_not_open(key_file):
    sealed = vault.seal("geheim", RECORD, "password")
    key_ring.write(key_file, (key_ring.new_key(),))
    with pytest.raises(SecretUnreadable):
        vault.open_(sealed, RECORD, "password")


def test_the_key_file_is_for_its_owner_only(key_file):
    assert key_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o620])
def test_a_key_file_open_to_others_is_refused(key_file, mode):
    key_file.chmod(mode)
    with pytest.raises(VaultUnavailable, match="open to others"):
        vault.seal("geheim", RECORD, "password")


def test_a_key_file_that_became_open_is_refused_although_it_was_read_before(key_file):
    vault.seal("geheim", RECORD, "password")
    key_file.chmod(0o644)
    with pytest.raises(VaultUnavailable, match="open to others"):
        vault.seal("geheim", RECORD, "password")


def test_an_existing_key_file_is_never_replaced(key_file):
    before = key_file.read_bytes()
    assert key_ring.create(key_file) is False
    assert key_file.read_bytes() == before


def test_no_draft_stays_beside_the_key_file(key_file):
    key_ring.create(key_file)
    key_ring.write(key_file, vault.ring().keys)
    assert os.listdir(key_file.parent) == ["vault.key"]


def test_a_missing_key_file_is_a_sentence(tmp_path, settings):
    settings.POSTERN_VAULT_KEY_FILE = tmp_path / "vault.key"
    with pytest.raises(VaultUnavailable, match="There is no vault key"):
        vault.seal("geheim", RECORD, "password")


@pytest.mark.parametrize("line", ["x", "0123456789abcdef AAAA", "0123456789abcdef " + "A" * 43 + "=", "ü ö"])
def test_a_damaged_key_file_is_a_sentence_with_the_line(key_file, line):
    key_file.write_text(f"# comment\n{line}\n", encoding="utf-8")
    with pytest.raises(VaultUnavailable, match="damaged in line 2"):
        vault.seal("geheim", RECORD, "password")


def test_an_empty_key_file_is_a_sentence(key_file):
    key_file.write_text("")
    with pytest.raises(VaultUnavailable, match="holds no key"):
        vault.seal("geheim", RECORD, "password")


def test_no_key_is_shown_by_a_repr(key_file):
    key = vault.ring().current
    assert repr(key) == f"Key(id='{key.id}')"


def test_an_opened_secret_does_not_show_itself(key_file):
    assert f"{vault.open_(vault.seal('geheim', RECORD, 'password'), RECORD, 'password')!r}" == "<secret>"
