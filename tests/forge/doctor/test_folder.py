"""The data folder and its keys, in every sort of disorder."""

from __future__ import annotations

import datetime as dt

import pytest

from soundforge_nb.cluster import security
from soundforge_nb.cluster.security import ensure_keys
from soundforge_nb.config import Config
from soundforge_nb.forge.doctor.finding import Level
from soundforge_nb.forge.doctor.folder import file_system_of, look_at_folder


@pytest.fixture
def config(tmp_path):
    made = Config(tmp_path / "data")
    made.data_folder.mkdir(mode=0o700)
    ensure_keys(made.tls_folder)
    return made


def found(config, check):
    (finding,) = [finding for finding in look_at_folder(config) if finding.check == check]
    return finding


def test_all_is_well(config):
    assert {finding.check: finding.level for finding in look_at_folder(config)} == {
        "data_folder": Level.OK,
        "keys": Level.OK,
    }


def test_nothing_there_yet(tmp_path):
    (finding,) = look_at_folder(Config(tmp_path / "none"))

    assert finding.level is Level.OK
    assert not (tmp_path / "none").exists()


def test_a_file_in_its_place(tmp_path):
    (tmp_path / "data").write_text("")

    assert "is no folder" in found(Config(tmp_path / "data"), "data_folder").message


@pytest.mark.parametrize(
    ("mode", "level"), [(0o700, Level.OK), (0o750, Level.WARNING), (0o500, Level.PROBLEM)]
)
def test_modes_of_the_folder(config, mode, level):
    config.data_folder.chmod(mode)
    try:
        finding = found(config, "data_folder")
    finally:
        config.data_folder.chmod(0o700)

    assert finding.level is level
    assert bool(finding.remedy) == (level is not Level.OK)


def test_keys_that_others_can_read(config):
    (config.tls_folder / "key.pem").chmod(0o644)

    finding = found(config, "keys")

    assert finding.level is Level.PROBLEM
    assert "key.pem (0644)" in finding.message
    assert "makes new keys" in finding.remedy


@pytest.mark.parametrize("name", ["key.pem", "certificate.pem"])
def test_damaged_and_missing_keys(config, name):
    (config.tls_folder / name).write_bytes(b"-----BEGIN NOTHING-----\n")
    assert "damaged" in found(config, "keys").message

    (config.tls_folder / name).unlink()
    assert f"{name}: No such file" in found(config, "keys").message


def test_keys_that_do_not_belong_together(config, tmp_path):
    ensure_keys(tmp_path / "other")
    (tmp_path / "other" / "key.pem").replace(config.tls_folder / "key.pem")

    assert "do not belong together" in found(config, "keys").message


def test_a_certificate_that_has_run_out(config, tmp_path, monkeypatch):
    monkeypatch.setattr(security, "_LIFETIME", -dt.timedelta(hours=1))
    for file in config.tls_folder.glob("*.pem"):
        file.unlink()
    ensure_keys(config.tls_folder)

    assert "was valid until" in found(config, "keys").message


def test_the_file_system_has_a_name(tmp_path):
    assert file_system_of(tmp_path)
