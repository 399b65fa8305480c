"""The settings, in one frozen object: defaults < soundforge.toml < SOUNDFORGE_* < arguments."""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from soundforge_nb.errors import ConfigError

#: Endings of the names of settings that are sizes.
_SIZES = ("_seconds", "_limit", "_factor", "_rows", "_workers", "_days", "_jobs")
CONFIG_FILE = "soundforge.toml"
ENVIRONMENT_PREFIX = "SOUNDFORGE_"
#: Settings that are shown, logged and sent nowhere.
SECRET_SETTINGS = ("spotify_client_secret",)
#: Variables of other programs that say the same; ours go before them.
_BORROWED = {"SPOTIPY_CLIENT_ID": "spotify_client_id", "SPOTIPY_CLIENT_SECRET": "spotify_client_secret"}
#: Slots need threads, and a Dask worker's threads never grow: this many jobs can run at once on one.
SLOTS_CEILING = 32


@dataclass(frozen=True)
class Config:
    """All settings; units stand in the names.

    Every field can be set in ``<data folder>/soundforge.toml``, as ``SOUNDFORGE_<FIELD>`` in the
    environment, and as an argument of `soundforge_nb.connect`, in rising order of precedence.
    """

    data_folder: Path
    # Weights and compiled code, where several data folders share them; else each has its own.
    shared_cache_folder: Path | None = None
    # Queues: how many jobs of each run at once on one Dask worker.
    download_limit: int = 3
    processing_limit: int = 2
    analysis_limit: int = 2
    dask_workers: int = 1
    # Where the application listens, beyond loopback only where other hosts join: behind the keys in any case.
    host: str = "127.0.0.1"
    # History: what ended is forgotten when it is older, or when more ended the same way since; 0: never.
    prune_after_days: float = 90.0
    prune_keep_jobs: int = 100_000
    # A file that no row of the library names is removed when it was left alone for so long.
    orphan_grace_seconds: float = 604_800.0
    # Application.
    linger_seconds: float = 300.0
    start_timeout_seconds: float = 60.0
    rpc_timeout_seconds: float = 30.0
    reconnect_seconds: float = 120.0
    lease_seconds: float = 30.0
    # Ports: a base, and a share of the audio's length, so that a long file is not doomed.
    analyze_timeout_seconds: float = 120.0
    analyze_timeout_factor: float = 2.0
    separate_timeout_seconds: float = 300.0
    separate_timeout_factor: float = 20.0
    terminate_grace_seconds: float = 5.0
    cancel_grace_seconds: float = 1.0
    download_timeout_seconds: float = 300.0
    download_timeout_factor: float = 2.0
    # Downloads: how large a file may be, and how long a server may keep silent.
    download_max_bytes: int = 1_000_000_000
    download_stall_seconds: float = 30.0
    # Whether pages are searched for their audio, and songs of Spotify's looked for on other sites: "refused"
    # or "allowed". What you may copy is for you to judge.
    downloads: str = "refused"
    # Whether links may lead to this machine and its local network: "refused" or "allowed".
    private_addresses: str = "refused"
    # Spotify, by a client of one's own (developer.spotify.com); also from SPOTIPY_CLIENT_ID and _SECRET.
    spotify_client_id: str = ""
    spotify_client_secret: str = dataclasses.field(default="", repr=False)
    # The country whose catalogue counts, as "DE"; and where a browser comes back to after signing in.
    spotify_market: str = ""
    spotify_redirect_port: int = 8898
    spotify_api_url: str = "https://api.spotify.com"
    spotify_accounts_url: str = "https://accounts.spotify.com"
    # How long what Spotify says of a track is kept.
    spotify_metadata_days: float = 30.0
    # Kinds of job of one's own, as "module:Class, module:Class"; importable wherever jobs run.
    kinds: str = ""
    # Separation.
    device: str = "auto"
    # GPUs of each Dask worker, each kept for one job at a time; -1: as many as there are.
    gpus: int = -1
    model_folder: Path | None = None
    # forge.sql().
    sql_timeout_seconds: float = 30.0
    sql_max_rows: int = 1_000_000
    store_memory_limit: str = "1GB"

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            positive = field.name.endswith(_SIZES)
            if positive and isinstance(value, (int, float)) and not 0 <= value < float("inf"):
                raise ConfigError(
                    f"The setting {field.name} is {value}, which is not a size.",
                    "Give a number of 0 or more.",
                )
        self._check_choices()
        if self.dask_workers < 1:
            raise ConfigError("The setting dask_workers is below 1.", "Give 1 or more.")
        if (slots := sum(self.limits.values())) > SLOTS_CEILING:
            raise ConfigError(
                f"The limits of the queues come to {slots} jobs at once on one Dask worker, which has "
                f"{SLOTS_CEILING} threads.",
                f"Give limits that come to {SLOTS_CEILING} or fewer.",
            )
        if self.lease_seconds <= 0:
            raise ConfigError("The setting lease_seconds is 0: every job would be lost.", "Give 10 or more.")

    def _check_choices(self) -> None:
        for name in ("private_addresses", "downloads"):
            if getattr(self, name) not in ("refused", "allowed"):
                raise ConfigError(
                    f"The setting {name} is {getattr(self, name)!r}.", "Give refused or allowed."
                )
        for name in ("spotify_api_url", "spotify_accounts_url"):
            # Credentials go there: never in the clear, but for a test's own server on this machine.
            if not getattr(self, name).startswith(("https://", "http://127.0.0.1:")):
                raise ConfigError(f"The setting {name} is no https:// address.", "Leave it out.")
        if self.spotify_market and not re.fullmatch("[A-Z]{2}", self.spotify_market):
            raise ConfigError(
                f"The setting spotify_market is {self.spotify_market!r}.", "Give a country's two letters: DE."
            )
        if self.download_max_bytes < 1:
            raise ConfigError("The setting download_max_bytes is below 1.", "Give 1 or more.")

    @property
    def limits(self) -> dict[str, int]:
        """How many jobs of each queue run at once on one Dask worker."""
        return {
            "download": self.download_limit,
            "processing": self.processing_limit,
            "analysis": self.analysis_limit,
        }

    @property
    def kind_names(self) -> list[str]:
        """The classes that `kinds` names, each as ``module:Class``."""
        return [name.strip() for name in self.kinds.split(",") if name.strip()]

    @property
    def store_file(self) -> Path:
        return self.data_folder / "soundforge.duckdb"

    @property
    def scheduler_file(self) -> Path:
        return self.data_folder / "scheduler.json"

    @property
    def lock_file(self) -> Path:
        return self.data_folder / "lock"

    @property
    def start_lock_file(self) -> Path:
        return self.data_folder / "start.lock"

    @property
    def tls_folder(self) -> Path:
        return self.data_folder / "tls"

    @property
    def logs_folder(self) -> Path:
        return self.data_folder / "logs"

    @property
    def cache_folder(self) -> Path:
        return self.shared_cache_folder or self.data_folder / "cache"

    @property
    def staging_folder(self) -> Path:
        return self.data_folder / "staging"

    @property
    def stems_folder(self) -> Path:
        return self.data_folder / "stems"

    @property
    def downloads_folder(self) -> Path:
        return self.data_folder / "downloads"

    @property
    def links_folder(self) -> Path:
        """Links that hold a key, until they were used; for their owner's eyes only."""
        return self.data_folder / "links"

    @property
    def spotify_folder(self) -> Path:
        """Credentials and tokens; for their owner's eyes only."""
        return self.data_folder / "spotify"

    @property
    def partial_folder(self) -> Path:
        """Downloads that are not whole yet, kept over attempts."""
        return self.data_folder / "partial"

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Config:
        """The settings that `as_json` wrote."""
        hints = get_type_hints(cls)
        paths = {name for name, hint in hints.items() if hint in (Path, Path | None)}
        found: dict[str, Any] = {
            name: Path(value) if name in paths and value is not None else value
            for name, value in values.items()
        }
        return cls(**found)

    def as_json(self) -> dict[str, Any]:
        """The settings as a JSON object, paths as text; secrets are left out."""
        return {
            key: str(value) if isinstance(value, Path) else value
            for key, value in dataclasses.asdict(self).items()
            if key not in SECRET_SETTINGS
        }


def default_data_folder() -> Path:
    """The platform's place for a person's application files."""
    import platformdirs

    return Path(platformdirs.user_data_dir("soundforge_nb", appauthor=False))


def load(
    data_folder: str | os.PathLike[str] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Config:
    """Put the settings together.

    Parameters
    ----------
    data_folder : path, optional
        Where everything is kept; else ``SOUNDFORGE_DATA_FOLDER``, else the platform's place.
    environment : mapping, optional
        Instead of `os.environ`.
    **arguments
        Fields of `Config`; None counts as not given.

    Raises
    ------
    ConfigError
        A setting is unknown or of the wrong type, or the file can't be read.
    """
    environment = os.environ if environment is None else environment
    chosen = data_folder or environment.get(ENVIRONMENT_PREFIX + "DATA_FOLDER")
    folder = _converted("data_folder", chosen, "the data folder") if chosen else default_data_folder()
    values: dict[str, Any] = _from_file(folder / CONFIG_FILE)
    values |= _from_environment(environment)
    values |= {
        key: _converted(key, value, "the arguments") for key, value in arguments.items() if value is not None
    }
    return Config(**(values | {"data_folder": folder}))


def _from_file(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The settings file {file} can't be read: {error}.", "Mend or remove it."
        ) from error
    return {key: _converted(key, value, str(file)) for key, value in content.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(Config)}
    found = {setting: environment[name] for name, setting in _BORROWED.items() if environment.get(name)}
    for variable, text in environment.items():
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        # Variables of this prefix that are no setting may belong to somebody else.
        if variable.startswith(ENVIRONMENT_PREFIX) and name in names:
            found[name] = _converted(name, text, variable)
    return found


_HINTS: dict[str, Any] | None = None


def _converted(name: str, value: Any, place: str) -> Any:
    global _HINTS
    if _HINTS is None:
        _HINTS = get_type_hints(Config)
    if name not in _HINTS:
        known = ", ".join(sorted(_HINTS))
        raise ConfigError(f"There is no setting named {name} ({place}).", f"Known: {known}.")
    wanted = _HINTS[name]
    try:
        if isinstance(value, bool) or (isinstance(value, float) and wanted is int and value % 1):
            raise ValueError
        if wanted is int:
            return int(value)
        if wanted is float:
            return float(value)
        if wanted is str:
            return str(value)
        return Path(value).expanduser().absolute()
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        told = "…" if name in SECRET_SETTINGS else repr(value)
        raise ConfigError(
            f"The setting {name} is {told} ({place}), which does not fit.",
            f"Give a value of type {getattr(wanted, '__name__', wanted)}.",
        ) from error
