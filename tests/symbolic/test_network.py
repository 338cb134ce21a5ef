"""Network files: what goes in comes out, and nothing hostile gets further than a clear error."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import sys
import time
import zipfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from symbolic.arrays import MAX_BYTES, read_arrays, write_arrays, write_atomically
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, evaluate_network, load_network, save_network
from symbolic.parser import parse

FEATURES = [
    "1-r",
    "(1-r)**2",
    "(1-r)*A",
    "(1-r)**2*A",
    "log(r)",
    "log(r)**2",
    "log(r)*A",
    "log(r)**2*A",
]
CARD: dict[str, Any] = {
    "schema": "mirrordrift/network/1", "kind": "drift", "features": FEATURES, "activation": "tanh",
    "xi": 1e-6, "ppo_epsilon": 0.2, "training": {"generations": 672, "fitness": 0.5},
}  # fmt: skip
WEIGHTS = np.random.default_rng(7)
LAYERS = {"layer_0": WEIGHTS.normal(size=(8, 16)), "layer_1": WEIGHTS.normal(size=(16, 1))}


def write(path: Path, card: Any = CARD, **layers: Any) -> Path:
    """A file as another program would write it."""
    text = card if isinstance(card, str) else json.dumps(card)
    np.savez(path, card=np.array(text), **(layers or LAYERS))
    return path


def network(**changes: Any) -> DriftNetwork:
    content: dict[str, Any] = {
        "layers": tuple(LAYERS.values()), "features": tuple(map(parse, FEATURES)),
        "xi": Fraction(1, 10**6), "ppo_epsilon": Fraction(1, 5),
    }  # fmt: skip
    return DriftNetwork(**content | changes)


def test_reads_what_numpy_writes(tmp_path: Path) -> None:
    read = load_network(write(tmp_path / "lpo.npz"))
    assert read.xi == Fraction(1, 10**6)
    assert read.ppo_epsilon == Fraction(1, 5), "0.2 is one fifth, not the float64 beside it"
    assert read.training == {"generations": 672, "fitness": 0.5}
    assert [str(feature) for feature in read.features] == [str(parse(text)) for text in FEATURES]
    np.testing.assert_array_equal(read.layers[0], LAYERS["layer_0"])


def test_reads_float32_and_compressed_and_fortran_order(tmp_path: Path) -> None:
    path = tmp_path / "n.npz"
    layers = {name: np.asfortranarray(layer.astype(np.float32)) for name, layer in LAYERS.items()}
    np.savez_compressed(path, card=np.array(json.dumps(CARD)), **layers)
    np.testing.assert_array_equal(
        load_network(path).layers[0], LAYERS["layer_0"].astype(np.float32)
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"features": ("1-r",)}, r"features\[0\]='1-r' is str; give parse"),
        ({"xi": 1e-6}, r"xi=1e-06 is float; give Fraction\('1e-06'\)"),
        ({"ppo_epsilon": 0.2}, r"ppo_epsilon=0.2 is float; give Fraction\('0.2'\)"),
        ({"layers": ([["a"]],)}, "layer_0 is no array of numbers"),
    ],
)
def test_a_network_made_by_hand_is_checked(given: dict[str, Any], says: str) -> None:
    good: dict[str, Any] = {"layers": ([[1.0]],), "features": (parse("1-r"),), "xi": Fraction(0)}
    assert DriftNetwork(**good).card
    with pytest.raises(ConfigError, match=says):
        DriftNetwork(**{**good, **given})


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@given(
    weights=arrays(np.float64, (2, 3), elements=st.floats(allow_nan=False, allow_infinity=False)),
    xi=st.decimals(-1, 1, places=9).map(Fraction),
    epsilon=st.none() | st.decimals(0, 2, places=3).map(Fraction),
)
def test_a_saved_network_is_the_same_network(
    suffix: str, weights: Any, xi: Fraction, epsilon: Fraction | None, tmp_path_factory: Any
) -> None:
    made = DriftNetwork(
        layers=(weights, np.ones((3, 1))), features=(parse("1-r"), parse("A*log(r)")), activation="relu",
        xi=xi, ppo_epsilon=epsilon, training={"env": "ant", "σ": 0.04, "seeds": [1, 2]},
    )  # fmt: skip
    path = tmp_path_factory.mktemp("files") / f"n{suffix}"
    save_network(path, made)
    first = path.read_bytes()
    read = load_network(path)
    assert read.content_hash == made.content_hash
    assert (read.xi, read.ppo_epsilon, read.training) == (xi, epsilon, made.training)
    save_network(path, read)
    assert path.read_bytes() == first, "the same network gives the same bytes"


def test_numpy_and_safetensors_read_what_we_write(tmp_path: Path) -> None:
    save_network(tmp_path / "n.npz", network())
    with np.load(tmp_path / "n.npz", allow_pickle=False) as found:
        assert json.loads(str(found["card"]))["xi"] == 1e-6
        np.testing.assert_array_equal(found["layer_1"], LAYERS["layer_1"])
    safetensors = pytest.importorskip("safetensors.numpy")
    save_network(tmp_path / "n.safetensors", network())
    np.testing.assert_array_equal(
        safetensors.load_file(tmp_path / "n.safetensors")["layer_1"], LAYERS["layer_1"]
    )


def test_content_hash_tells_networks_apart() -> None:
    weights = [LAYERS["layer_0"].copy(), LAYERS["layer_1"]]
    weights[0][0, 0] = np.nextafter(weights[0][0, 0], 1.0)
    hashes = [network().content_hash, network(layers=tuple(weights)).content_hash]
    hashes += [network(xi=Fraction(1)).content_hash, network(activation="relu").content_hash]
    assert len(set(hashes)) == 4


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_layers_that_were_changed_are_refused(tmp_path: Path, suffix: str) -> None:
    made, path = network(), tmp_path / f"n{suffix}"
    save_network(path, made)
    layers, texts = read_arrays(path)
    layers["layer_0"] = layers["layer_0"] + 1e-12
    write_arrays(path, layers, texts)
    with pytest.raises(ConfigError, match="damaged or changed"):
        load_network(path)
    card = json.loads(texts["card"])
    del card["weights"]
    write_arrays(path, layers, {"card": json.dumps(card)})
    np.testing.assert_array_equal(load_network(path).layers[0], layers["layer_0"])


def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "n.npz"
    save_network(path, network())
    before = path.read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"half")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_evaluates_the_published_formula() -> None:
    r, A = np.array([[0.5], [1.0], [1.7]]), np.array([-1.5, 0.0, 2.0])
    log, e = np.log(r), 1 - r
    inputs = np.stack(
        np.broadcast_arrays(e, e**2, e * A, e**2 * A, log, log**2, log * A, log**2 * A), axis=-1
    )
    out = (np.tanh(inputs @ LAYERS["layer_0"]) @ LAYERS["layer_1"])[..., 0] - 1e-6
    expected = np.maximum(out + np.maximum((r - np.clip(r, 0.8, 1.2)) * A, 0), 0)
    np.testing.assert_allclose(evaluate_network(network(), r, A), expected, rtol=1e-12)
    assert (evaluate_network(network(), 1.0, A) == 0).all()


def test_progress_is_asked_for_where_a_feature_uses_it() -> None:
    aware = network(features=(parse("1-r"), parse("t*(1-r)")), layers=(np.ones((2, 1)),))
    assert evaluate_network(aware, 0.5, 0.0, [0.0, 1.0]).tolist() == pytest.approx(
        [0.5 - 1e-6, 1 - 1e-6]
    )
    with pytest.raises(ConfigError, match="t is missing"):
        evaluate_network(aware, 0.5, 0.0)


def card(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (CARD | changes).items() if value is not ...}


BAD_CARDS = {
    "no JSON": ("{", "not readable as JSON"),
    "no object": ("[1]", "no object"),
    "deep nesting": ('{"training": ' + "[" * 100_000 + "]" * 100_000 + "}", "not readable as JSON"),
    "deep training": (json.dumps(card(training={"a": json.loads("[" * 60 + "]" * 60)})), "nested deeper"),
    "huge integer": (json.dumps(card()).replace("1e-06", "9" * 5000), "not readable as JSON"),
    "long integer": (json.dumps(card()).replace("1e-06", "9" * 4000), "xi="),
    "huge exponent": (json.dumps(card()).replace("1e-06", "1e-999999999"), "xi="),
    "NaN": (json.dumps(card(xi=float("nan"))), "NaN"),
    "infinite training": (json.dumps(card()).replace("672", "1e999"), "beyond float64"),
    "key twice": (json.dumps(card()).replace('"kind"', '"xi": 0, "kind"'), "occurs twice"),
    "long": (json.dumps(card(training={"a": "x" * 2**20})), "characters"),
    "unknown schema": (card(schema="mirrordrift/network/2"), "schema"),
    "no schema": (card(schema=...), "schema"),
    "no features": (card(features=...), "'features' is missing"),
    "no xi": (card(xi=...), "'xi' is missing"),
    "empty features": (card(features=[]), "features"),
    "features no list": (card(features="1-r"), "list of formulas"),
    "features of numbers": (card(features=[1, 2]), "list of formulas"),
    "many features": (card(features=["r-1"] * 1000), "1000 features"),
    "feature does not parse": (card(features=["1-r", "__import__('os')"]), "feature 1 does not parse"),
    "feature with a parameter": (card(features=["alpha*(1-r)"]), "unknown name 'alpha'"),
    "huge feature": (card(features=["9**9**9**9"]), "exponent"),
    "unknown activation": (card(activation="gelu"), "activation='gelu'"),
    "activation no text": (card(activation=[1]), "activation"),
    "unknown kind": (card(kind="psi"), "kind='psi'"),
    "xi a text": (card(xi="1e-6"), "xi='1e-6'"),
    "xi a truth value": (card(xi=True), "xi=True"),
    "epsilon a list": (card(ppo_epsilon=[0.2]), "ppo_epsilon"),
    "training no object": (card(training=[1]), "training"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD_CARDS.values(), ids=BAD_CARDS)
def test_a_bad_card_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    refused(write(tmp_path / "bad.npz", content), message)


def refused(path: Path, message: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(ConfigError) as caught:
        load_network(path)
    assert str(path) in str(caught.value), "names the file"
    assert message in str(caught.value)
    assert time.perf_counter() - begun < 2.0


BAD_LAYERS = {
    "none": ({"weights": LAYERS["layer_0"]}, "layer_0, layer_1"),
    "a gap": ({"layer_0": LAYERS["layer_0"], "layer_2": LAYERS["layer_1"]}, "layer_2"),
    "a bias": (LAYERS | {"bias_0": np.zeros(16)}, "bias_0"),
    "wrong inputs": (LAYERS | {"layer_0": np.ones((7, 16))}, "(8, hidden)"),
    "wrong chain": (LAYERS | {"layer_1": np.ones((15, 1))}, "(16, 1)"),
    "two outputs": (LAYERS | {"layer_1": np.ones((16, 2))}, "(16, 1)"),
    "one axis": (LAYERS | {"layer_1": np.ones(16)}, "(16, 1)"),
    "three axes": (LAYERS | {"layer_1": np.ones((16, 1, 1))}, "claims shape"),
    "no columns": (LAYERS | {"layer_0": np.ones((8, 0))}, "(8, hidden)"),
    "nan": (LAYERS | {"layer_1": np.full((16, 1), np.nan)}, "layer_1[0, 0] is nan"),
    "infinite": (LAYERS | {"layer_1": np.full((16, 1), -np.inf)}, "must be finite"),
    "integers": (LAYERS | {"layer_1": np.ones((16, 1), dtype=np.int64)}, "type '<i8'"),
    "complex": (LAYERS | {"layer_1": np.ones((16, 1), dtype=complex)}, "type '<c16'"),
    "objects": (LAYERS | {"layer_1": np.full((16, 1), None)}, "type '|O'"),
    "records": (LAYERS | {"layer_1": np.zeros(16, dtype=[("w", "<f8")])}, "no plain array header"),
    "two texts": (LAYERS | {"layer_2": np.array(["a", "b"])}, "not one text"),
}


@pytest.mark.parametrize(("layers", "message"), BAD_LAYERS.values(), ids=BAD_LAYERS)
def test_bad_layers_are_refused(tmp_path: Path, layers: Any, message: str) -> None:
    refused(write(tmp_path / "bad.npz", **layers), message)


def test_a_network_without_card_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "bare.npz", **LAYERS)
    refused(tmp_path / "bare.npz", "'card' is missing")


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


BAD_HEADERS = {
    "giant shape": npy(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000000000), }"
    ),
    "negative shape": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 1), }"),
    "giant header": npy("{'descr': '<f8', " + " " * 60_000 + "}"),
    "nested header": npy("{'descr': " + "[" * 30_000 + "}"),
    "code": npy(
        "{'descr': __import__('os').system('touch owned'), 'fortran_order': False, 'shape': (), }"
    ),
    "beyond Unicode": npy("{'descr': '<U1', 'fortran_order': False, 'shape': (), }", b"\xff" * 4),
    "pickle": pickle.dumps({"w": 1}),
    "empty": b"",
}


@pytest.mark.parametrize("content", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_bad_array_headers_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("layer_0.npy", content)
    refused(path, "layer_0")


def test_archive_bombs_are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("layer_0.npy", bytes(2 * MAX_BYTES))
    assert path.stat().st_size < MAX_BYTES // 100
    refused(path, "unpacks to")
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 1000)  # the directory lies about the size
    path.write_bytes(content)
    refused(path, "no intact .npz archive")


def test_odd_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(1000):
            archive.writestr(f"layer_{i}.npy", b"")
    refused(path, "1000 arrays")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("layer_0.npy", b"x")
    refused(path, "compression")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("layer_0.npy", b"x")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("layer_0.npy", b"y")
    refused(path, "one name")
    whole = io.BytesIO()
    np.savez(whole, card=np.array(json.dumps(CARD)), **LAYERS)
    path.write_bytes(whole.getvalue()[:-100])
    refused(path, "no intact .npz archive")
    damaged = bytearray(whole.getvalue())
    damaged[200] ^= 255
    path.write_bytes(damaged)
    refused(path, "no intact .npz archive")
    path.write_bytes(pickle.dumps([1]))
    refused(path, "no intact .npz archive")


def test_odd_paths_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "missing.npz", "no such file")
    refused(tmp_path / "network.txt", "unknown suffix")
    (tmp_path / "folder.npz").mkdir()
    refused(tmp_path / "folder.npz", "no such file")
    with (tmp_path / "large.npz").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    refused(tmp_path / "large.npz", "bytes")
    with pytest.raises(ConfigError):
        load_network("nul\0.npz")
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe.npz")
        refused(tmp_path / "pipe.npz", "no such file")


def safetensors_bytes(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(head) if length is None else length) + head + data


def tensor(**changes: Any) -> dict[str, Any]:
    entry = {"dtype": "F64", "shape": [1, 1], "data_offsets": [0, 8]} | changes
    return {"__metadata__": {"card": json.dumps(card(features=["1-r"]))}, "layer_0": entry}


BAD_SAFETENSORS = {
    "empty": (b"", "cut off"),
    "giant header": (safetensors_bytes({}, length=2**63), "cut off"),
    "no JSON": (safetensors_bytes(b"{" * 1000), "not readable"),
    "deep": (safetensors_bytes(b'{"a":' * 100_000), "not readable"),
    "no card": (safetensors_bytes({"layer_0": tensor()["layer_0"]}, bytes(8)), "'card' is missing"),
    "metadata of numbers": (safetensors_bytes({"__metadata__": {"card": 1}}), "__metadata__"),
    "beyond the file": (safetensors_bytes(tensor(data_offsets=[0, 16]), bytes(8)), "outside"),
    "backwards": (safetensors_bytes(tensor(data_offsets=[8, 0]), bytes(8)), "outside"),
    "negative": (safetensors_bytes(tensor(data_offsets=[-8, 0]), bytes(8)), "outside"),
    "giant shape": (safetensors_bytes(tensor(shape=[10**30, 10**30]), bytes(8)), "outside"),
    "wrong size": (safetensors_bytes(tensor(shape=[2, 1]), bytes(8)), "claims shape"),
    "bfloat16": (safetensors_bytes(tensor(dtype="BF16"), bytes(8)), "F64"),
    "no entry": (safetensors_bytes(tensor() | {"layer_0": 3}, bytes(8)), "F64"),
    "nan": (safetensors_bytes(tensor(), struct.pack("<d", float("nan"))), "finite"),
    "many": (safetensors_bytes({f"layer_{i}": {} for i in range(99)}), "99 arrays"),
}


@pytest.mark.parametrize(("content", "message"), BAD_SAFETENSORS.values(), ids=BAD_SAFETENSORS)
def test_bad_safetensors_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    refused(path, message)


@given(
    noise=st.binary(min_size=1, max_size=4),
    at=st.floats(0, 1),
    suffix=st.sampled_from([".npz", ".safetensors"]),
)
def test_damaged_files_give_a_network_or_a_clear_error(
    noise: bytes, at: float, suffix: str, tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.mktemp("files") / f"n{suffix}"
    save_network(path, network(layers=(np.ones((8, 1)),)))
    content = bytearray(path.read_bytes())
    start = int(at * (len(content) - len(noise)))
    content[start : start + len(noise)] = noise
    path.write_bytes(content)
    with suppress(ConfigError):
        assert load_network(path).features


def test_rules_of_a_network_made_in_python() -> None:
    for changes, message in (
        ({"layers": ()}, "layer_0 is missing"),
        ({"layers": (np.full((8, 1), np.inf),)}, "finite"),
        ({"xi": Fraction(1, 3)}, "decimal"),
        ({"ppo_epsilon": Fraction(1, 7)}, "decimal"),
        ({"xi": Fraction(10**301)}, "beyond 1e300"),
        ({"features": ()}, "features"),
        ({"kind": "mirror-map"}, "kind"),
    ):
        with pytest.raises(ConfigError, match=message):
            network(**changes)
    with pytest.raises(ValueError, match="read-only"):
        network().layers[0][0, 0] = 1.0
    with pytest.raises(ConfigError, match="unknown suffix"):
        save_network("n.pkl", network())
