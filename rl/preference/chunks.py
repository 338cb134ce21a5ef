"""Files of ranked trajectories: `.npz` as NumPy reads it, and a reader that trusts nothing.

The same rows are the same bytes. Arrays are stored as they are, so that a file is read without a
copy, and its headers must be the ones that the card's sizes ask for.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int8, Int32

from symbolic.errors import ConfigError


class Preferences(NamedTuple):
    """Rows of two trajectories from one state: one was chosen, the other rejected.

    Observations and actions are 0 from where a trajectory ended. Actions are as the environment
    was given them, a discrete one by its index.
    """

    chosen_observations: Float32[np.ndarray, "rows steps observation"]
    chosen_actions: Float32[np.ndarray, "rows steps action"]
    chosen_length: Int32[np.ndarray, "rows"]
    chosen_return: Float64[np.ndarray, "rows"]
    rejected_observations: Float32[np.ndarray, "rows steps observation"]
    rejected_actions: Float32[np.ndarray, "rows steps action"]
    rejected_length: Int32[np.ndarray, "rows"]
    rejected_return: Float64[np.ndarray, "rows"]
    flipped: Bool[np.ndarray, "rows"]
    """Where the rejected trajectory has the higher return."""
    pair: Int8[np.ndarray, "rows"]
    """Who played: 0 expert and reference, 1 expert twice, 2 reference twice."""


class Sizes(NamedTuple):
    """What the shapes of a chunk follow from, but for its rows."""

    steps: int
    observation: int
    action: int

    def arrays(self, rows: int) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
        """(type, shape) of every array of `Preferences`."""
        side = {
            "observations": ("<f4", (rows, self.steps, self.observation)),
            "actions": ("<f4", (rows, self.steps, self.action)),
            "length": ("<i4", (rows,)),
            "return": ("<f8", (rows,)),
        }
        found = {f"{who}_{n}": what for who in ("chosen", "rejected") for n, what in side.items()}
        found |= {"flipped": ("|b1", (rows,)), "pair": ("|i1", (rows,))}
        return {name: (np.dtype(kind), shape) for name, (kind, shape) in found.items()}

    def empty(self, rows: int) -> Preferences:
        """Arrays to be filled."""
        return Preferences(**{n: np.empty(s, t) for n, (t, s) in self.arrays(rows).items()})


def chunk_bytes(preferences: Preferences, sizes: Sizes) -> bytes:
    """The content of a file."""
    out = io.BytesIO()
    kinds = sizes.arrays(len(preferences.flipped))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, array in preferences._asdict().items():
            kind, shape = kinds[name]
            assert array.shape == shape, name
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: the bytes tell no time
            member.create_system = 3  # nor the operating system
            with archive.open(member, "w", force_zip64=True) as file:
                file.write(_header(kind, shape))
                file.write(np.asarray(array, kind).tobytes())
    return out.getvalue()


def chunk_arrays(content: bytes, sizes: Sizes, rows: int, place: str) -> Preferences:
    """What `chunk_bytes` made, without a copy.

    Raises ConfigError, beginning with `place`, for what has other arrays, types or shapes.
    """
    found: dict[str, np.ndarray] = {}
    wanted = sizes.arrays(rows)
    members = _members(content, place)
    if set(members) != {f"{name}.npy" for name in wanted}:
        raise ConfigError(f"{place}: has other arrays than a chunk; make the dataset again")
    for name, (kind, shape) in wanted.items():
        header = _header(kind, shape)
        begin = members[f"{name}.npy"]
        count = int(np.prod(shape))
        end = begin + len(header) + count * kind.itemsize
        if content[begin : begin + len(header)] != header or end > len(content):
            raise ConfigError(
                f"{place}: array '{name}' is not of type {kind} and shape {shape}, as the card has "
                "it; make the dataset again"
            )
        found[name] = np.frombuffer(content, kind, count, begin + len(header)).reshape(shape)
    return Preferences(**found)


def _members(content: bytes, place: str) -> Mapping[str, int]:
    """Where the bytes of each member begin."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {member.filename: member for member in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError):
        raise ConfigError(f"{place}: no .npz file; make the dataset again") from None
    found = {}
    for name, member in members.items():
        local = content[member.header_offset : member.header_offset + 30]
        if member.compress_type != zipfile.ZIP_STORED or len(local) < 30:
            raise ConfigError(f"{place}: is compressed or cut off; make the dataset again")
        lengths = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        found[name] = member.header_offset + 30 + lengths
    return found


def _header(kind: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """As NumPy writes it before the numbers."""
    out = io.BytesIO()
    described = {
        "descr": np.lib.format.dtype_to_descr(kind),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(out, described)
    return out.getvalue()
