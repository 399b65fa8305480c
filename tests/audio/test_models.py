import os
import pickle
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from demucs.htdemucs import HTDemucs
from safetensors.torch import save_file
from tiny_models import SOURCES, network, save_pickle, save_safetensors

from soundforge_nb.audio import model_registry, weights
from soundforge_nb.audio.model_loading import LoadedModel, load_model
from soundforge_nb.audio.weights import find_model, sha256_of
from soundforge_nb.errors import ModelUnavailable, UsageError


def load(folder: Path, name: str) -> LoadedModel:
    return load_model(find_model(name, str(folder)))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No server answers, and the caches are empty folders."""

    def refuse(address: str, *rest: Any, **options: Any) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr(weights, "_probe", refuse)
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    for variable in ("TORCH_HOME", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "caches" / variable))
    return tmp_path / "caches"


@pytest.mark.parametrize("save", [save_pickle, save_safetensors])
def test_a_folder_of_models(tmp_path: Path, save: Any) -> None:
    file = save(tmp_path, "mine", seed=3)
    model = load(tmp_path, "mine")
    truth, _ = network(HTDemucs, 3)
    assert (model.sources, model.sample_rate_hz, model.channels) == (SOURCES, 44_100, 2)
    assert model.parameters == sum(parameter.numel() for parameter in truth.parameters())
    assert model.sha256 == sha256_of(file)
    assert model.longest_segment_seconds == 1.0
    for name, value in truth.state_dict().items():
        assert torch.equal(model.members[0].state_dict()[name], value)


def test_the_checksum_in_a_name_is_held(tmp_path: Path) -> None:
    file = save_pickle(tmp_path, "mine")
    named = file.rename(tmp_path / f"mine-{sha256_of(file)[:8]}.th")
    assert load(tmp_path, "mine").name == "mine"
    named.rename(tmp_path / "mine-00000000.th")
    with pytest.raises(ModelUnavailable, match="checksum"):
        load(tmp_path, "mine")


class Trap:
    """What a pickle of an attacker's could be."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.file),)


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "it ran"
    package = {"klass": HTDemucs, "args": (), "kwargs": {}, "state": Trap(trace)}
    torch.save(package, tmp_path / "evil.th")
    (tmp_path / "evil2.th").write_bytes(pickle.dumps(Trap(trace)))
    with pytest.raises(ModelUnavailable) as caught:
        load(tmp_path, "evil")
    assert caught.value.kind == "model_refused"
    with pytest.raises(ModelUnavailable):
        load(tmp_path, "evil2")
    assert not trace.exists()


@pytest.mark.parametrize(
    "metadata",
    [
        {"klass": "os.mkdir", "args": '["{trace}"]', "kwargs": "{}"},
        {
            "klass": "demucs.htdemucs.HTDemucs",
            "args": "[]",
            "kwargs": "{}",
            "structure": '{"_list": [{"_class": "os.system"}]}',
        },
        {"args": "[]"},
    ],
)
def test_a_safetensors_file_that_names_another_class_is_refused(
    tmp_path: Path, metadata: dict[str, str]
) -> None:
    trace = tmp_path / "it ran"
    filled = {key: value.replace("{trace}", str(trace)) for key, value in metadata.items()}
    save_file({"a": torch.zeros(1)}, tmp_path / "evil.safetensors", filled)
    with pytest.raises(ModelUnavailable) as caught:
        load(tmp_path, "evil")
    assert caught.value.kind == "model_refused"
    assert not trace.exists()


@pytest.mark.parametrize("name", ["mine.th", "mine.safetensors", "mine.yaml"])
@pytest.mark.parametrize("content", [b"", b"These are words.\n", bytes(range(256)) * 10])
def test_a_damaged_model_file_is_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"mine\."):
        load(tmp_path, "mine")


def test_a_bag_whose_members_do_not_fit(tmp_path: Path) -> None:
    save_safetensors(tmp_path, "a")
    save_safetensors(tmp_path, "b", sources=["drums", "rest"])
    (tmp_path / "bag.yaml").write_text("models: [a, b]")
    with pytest.raises(ModelUnavailable, match="do not fit"):
        load(tmp_path, "bag")


def test_the_hash_of_a_bag_knows_weights_and_order(tmp_path: Path) -> None:
    save_safetensors(tmp_path, "a", seed=1)
    save_safetensors(tmp_path, "b", seed=2)
    recipes = [
        "models: [a, b]",
        "models: [b, a]",
        "models: [a, b]\nweights: [[1, 1, 1, 0], [1, 1, 1, 1]]",
        "models: [a, b]\nsegment: 0.5",
    ]
    digests = set()
    for number, recipe in enumerate(recipes):
        (tmp_path / f"bag{number}.yaml").write_text(recipe)
        digests.add(load(tmp_path, f"bag{number}").sha256)
    assert len(digests) == len(recipes)


def test_a_missing_member_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "bag.yaml").write_text("models: [a]")
    with pytest.raises(ModelUnavailable) as caught:
        load(tmp_path, "bag")
    assert "a.safetensors or a.th" in caught.value.message
    assert str(tmp_path) in caught.value.remedy


def test_without_weights_and_network_the_sentence_says_what_to_put_where(no_network: Path) -> None:
    for name, files in {
        "htdemucs": ["955717e8-8726e21a.th", "955717e8.safetensors", "adefossez/HTDemucs"],
        "htdemucs_ft": ["f7e0c4bc-ba3fe64a.th", "04573f0d-f3cf25b2.th", "adefossez/HTDemucs-ft"],
        "mdx_extra": ["e51eebcc-c1b80bdd.th", "mdx_final/", "adefossez/Demucs-mdx_extra"],
        "955717e8": ["955717e8-8726e21a.th", "adefossez/HTDemucs"],
    }.items():
        said: list[str] = []
        with pytest.raises(ModelUnavailable) as caught:
            find_model(name, tell=said.append)
        error = caught.value
        assert error.kind == "model_unavailable"
        assert all(word in error.remedy for word in files), error.remedy
        assert str(no_network / "TORCH_HOME" / "hub" / "checkpoints") in error.remedy
        assert said
        assert name in said[0]


def test_what_the_sentence_asks_for_works(no_network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = no_network / "TORCH_HOME" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    save_safetensors(checkpoints, "955717e8")
    model = load_model(find_model("htdemucs"))
    assert (model.name, len(model.members)) == ("htdemucs", 1)
    # Demucs' own cache, which a person may have filled long ago, is read too.
    monkeypatch.setenv("TORCH_HOME", str(no_network / "elsewhere"))
    old = no_network / "XDG_CACHE_HOME" / "torch"
    old.parent.mkdir(parents=True)
    checkpoints.parent.parent.rename(old)
    assert find_model("htdemucs").members == (old / "hub" / "checkpoints" / "955717e8.safetensors",)


def test_the_hubs_cache_is_read(no_network: Path, tmp_path: Path) -> None:
    repository = no_network / "HF_HOME" / "hub" / "models--adefossez--HTDemucs"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0123abc")
    snapshot = repository / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    file = save_safetensors(snapshot, "955717e8")
    assert find_model("htdemucs").members == (file,)


def test_packed_weights_need_their_package(no_network: Path) -> None:
    with pytest.raises(ModelUnavailable, match="diffq"):
        find_model("mdx_extra_q")


@pytest.mark.parametrize("name", ["nonsense", "../htdemucs", "htdemucs.yaml", ""])
def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path, name: str) -> None:
    save_safetensors(tmp_path, "mine")
    with pytest.raises(UsageError) as caught:
        find_model(name, str(tmp_path))
    for known in ("demo", "htdemucs", "htdemucs_ft", "htdemucs_6s", "mdx_extra", "mine"):
        assert known in caught.value.remedy


def test_a_model_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="does not exist"):
        find_model("htdemucs", str(tmp_path / "nothing"))


def test_the_demo_model_is_the_one_on_its_card() -> None:
    model, card = load_model(find_model("demo")), model_registry.demo_card()
    assert model.sha256 == card["sha256"]
    assert model.sources == card["sources"] == SOURCES
    assert model.parameters == card["parameters"]
    assert model_registry.licence_of("demo") == card["licence"]
    assert model_registry.DEMO_FILE.stat().st_size <= 8_000_000


def test_the_registry_says_what_is_known() -> None:
    known = model_registry.registry()
    assert known["htdemucs_ft"].weights is not None
    assert known["htdemucs_6s"].sources[-2:] == ("guitar", "piano")
    assert known["mdx_extra"].segment_seconds == 44
    for name in model_registry.known_names():
        assert model_registry.licence_of(name)
    assert "scientific" in model_registry.licence_of("htdemucs")
    assert "not known" in model_registry.licence_of("mine")
    assert model_registry.hub_repository("hf://someone/htdemucs_x") == "someone/HTDemucs-x"
