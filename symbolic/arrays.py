"""Named arrays and one text in a file: `.npz` without pickles, and safetensors.

Files may come from strangers. Sizes are bounded before anything is unpacked, headers are
matched against the one form that writers use, and nothing is evaluated.
"""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbolic.errors import ConfigError

MAX_BYTES = 16 * 2**20
"""Of a file, and of what it unpacks to: two million float64 weights."""
MAX_MEMBERS = 64

SUFFIXES = (".npz", ".safetensors")

_NPY = re.compile(
    rb"\x93NUMPY[\x01-\x03]\x00.{2}(?:.{2})?"
    rb"\{'descr': '([<>|]?[A-Za-z]\d{0,8})', 'fortran_order': (True|False), "
    rb"'shape': \(([\d, ]{0,40})\), \}\s*\n",
    re.DOTALL,
)
_NUMBERS = {"F64": "<f8", "F32": "<f4"}
_ACCEPTED = "store float64 or float32 numbers and one text, with numpy.savez or safetensors"


def read_arrays(path: str | Path) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """(numbers by name as float64, texts by name) of a `.npz` or `.safetensors` file.

    In `.npz` a text is an array of one string; in safetensors it is an entry of the metadata.
    Raises ConfigError that names the file, the rule it breaks and the remedy.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ConfigError(
            f"{path}: unknown suffix '{path.suffix}'; use one of {', '.join(SUFFIXES)}"
        )
    content = read_bounded(path)
    if path.suffix == ".npz":
        return _read_npz(path, content)
    return _read_safetensors(path, content)


def read_bounded(path: Path) -> bytes:
    """The bytes of a regular file of at most MAX_BYTES; raises ConfigError."""
    try:
        if not path.is_file():
            raise ConfigError(f"{path}: no such file; check the path")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ConfigError(
                f"{path}: {size} bytes, more than the {MAX_BYTES} allowed; is it the right file?"
            )
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path, or our own
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(
            f"{path}: cannot be read ({error}); check the path and its permissions"
        ) from None


def write_arrays(
    path: str | Path, numbers: Mapping[str, NDArray[np.float64]], texts: Mapping[str, str]
) -> None:
    """Write what `read_arrays` reads: atomically, the same bytes for the same content.

    Raises ConfigError for an unknown suffix, OSError if the folder cannot be written.
    """
    path = Path(path)
    if path.suffix == ".npz":
        content = _npz_bytes(numbers, texts)
    elif path.suffix == ".safetensors":
        content = _safetensors_bytes(numbers, texts)
    else:
        raise ConfigError(
            f"{path}: unknown suffix '{path.suffix}'; use one of {', '.join(SUFFIXES)}"
        )
    write_atomically(path, content)


def write_atomically(path: Path, content: bytes) -> None:
    """The whole file or, if this is interrupted, the old one; a link or a device stays what it is."""
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        error.filename = str(path)  # nobody knows the temporary name
        raise
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
        os.replace(name, path)  # noqa: PTH105 - as atomic as the file system is
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _read_npz(path: Path, content: bytes) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    numbers: dict[str, NDArray[np.float64]] = {}
    texts: dict[str, str] = {}
    for member, data in _unzip(path, content).items():
        name = member.removesuffix(".npy")
        place = f"{path}: array '{name[:40]}'"
        array = _read_npy(place, data)
        if array.dtype.kind == "U":
            texts[name] = _text(place, array)
        else:
            numbers[name] = np.ascontiguousarray(array, dtype=np.float64)
    return numbers, texts


def _unzip(path: Path, content: bytes) -> dict[str, bytes]:
    """Members by name. What they claim to unpack to is checked first, and zipfile reads no more."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise ConfigError(
                    f"{path}: {len(members)} arrays, more than {MAX_MEMBERS}; is it the right file?"
                )
            claimed = sum(member.file_size for member in members)
            if claimed > MAX_BYTES:
                raise ConfigError(
                    f"{path}: unpacks to {claimed} bytes, more than {MAX_BYTES}; is it the right file?"
                )
            if any(
                member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
                for member in members
            ):
                raise ConfigError(
                    f"{path}: a compression that numpy.savez does not use; {_ACCEPTED}"
                )
            if len({member.filename for member in members}) != len(members):
                raise ConfigError(f"{path}: two arrays of one name; keep one of them")
            return {member.filename: archive.read(member) for member in members}
    except ConfigError:
        raise
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError) as error:
        raise ConfigError(f"{path}: no intact .npz archive ({error}); {_ACCEPTED}") from None


def _read_npy(place: str, data: bytes) -> NDArray[Any]:
    """One array; NumPy's own reader evaluates the header as a literal, this one matches it."""
    header = _NPY.fullmatch(data[: _header_size(data)])
    if not header:
        raise ConfigError(
            f"{place} has no plain array header (objects and records are refused); {_ACCEPTED}"
        )
    descr, fortran = header[1].decode(), header[2] == b"True"
    if not re.fullmatch(r"[<>]f[48]|[<>]U[1-9]\d*", descr):
        raise ConfigError(f"{place} has type '{descr}'; {_ACCEPTED}")
    dtype = np.dtype(descr)
    shape = tuple(int(size) for size in header[3].decode().replace(",", " ").split())
    body = data[header.end() :]
    return _array(place, body, dtype, shape, order="F" if fortran else "C")


def _header_size(data: bytes) -> int:
    """Where the numbers begin: they may look like the spaces that end a header."""
    width = 2 if data[6:7] == b"\x01" else 4
    return 8 + width + int.from_bytes(data[8 : 8 + width], "little")


def _text(place: str, array: NDArray[Any]) -> str:
    """The only string of an array, decoded here: NumPy fails on what is beyond Unicode."""
    try:
        if array.size != 1:
            raise ValueError(f"it holds {array.size}")
        return (
            array.astype(array.dtype.newbyteorder("<")).tobytes().decode("utf-32-le").rstrip("\0")
        )
    except ValueError as error:
        raise ConfigError(f"{place} is not one text ({error}); {_ACCEPTED}") from None


def _array(
    place: str, body: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], order: Any = "C"
) -> NDArray[Any]:
    count = 1
    for size in shape:
        count *= size
    if len(shape) > 2:
        raise ConfigError(
            f"{place} claims shape {shape}, and arrays of such files have at most two axes; "
            "name another file"
        )
    if count * dtype.itemsize != len(body):
        raise ConfigError(
            f"{place} claims shape {shape} of {dtype.itemsize}-byte items but holds {len(body)} bytes; "
            "write the file again"
        )
    return np.frombuffer(body, dtype=dtype).reshape(shape, order=order)


def _read_safetensors(
    path: Path, content: bytes
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise ConfigError(f"{path}: its header is cut off; write the file again with safetensors")
    header = read_json(content[8 : 8 + length], f"{path}: the header")
    data = content[8 + length :]
    texts = header.pop("__metadata__", {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise ConfigError(f"{path}: '__metadata__' must map names to texts; write the file again")
    if len(header) > MAX_MEMBERS:
        raise ConfigError(
            f"{path}: {len(header)} arrays, more than {MAX_MEMBERS}; is it the right file?"
        )
    numbers: dict[str, NDArray[np.float64]] = {}
    for name, entry in header.items():
        place = f"{path}: array '{name[:40]}'"
        match entry:
            case {
                "dtype": "F64" | "F32" as kind,
                "shape": list(shape),
                "data_offsets": [int(start), int(stop)],
            }:
                pass
            case _:
                raise ConfigError(
                    f"{place} is not described as safetensors of F64 or F32; {_ACCEPTED}"
                )
        sizes_right = all(type(size) is int and 0 <= size <= MAX_BYTES for size in shape)
        if not (sizes_right and 0 <= start <= stop <= len(data)):
            raise ConfigError(
                f"{place} lies outside the file; write the file again with safetensors"
            )
        array = _array(place, data[start:stop], np.dtype(_NUMBERS[kind]), tuple(shape))
        numbers[name] = np.ascontiguousarray(array, dtype=np.float64)
    return numbers, texts


class Decimal(str):
    """A number of a JSON text exactly as it was written, so that 0.2 can be 1/5."""

    __slots__ = ()


def read_json(text: str | bytes, place: str) -> dict[str, Any]:
    """A JSON object, numbers with a point or an exponent as `Decimal`.

    Refuses NaN, infinities, repeated keys, integers of thousands of digits and deep nesting with
    a ConfigError that begins with `place`.
    """

    def refuse(token: str) -> None:
        raise ValueError(f"{token} is no JSON number")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key occurs twice")
        return found

    try:
        found = json.loads(
            text, parse_float=Decimal, parse_constant=refuse, object_pairs_hook=unique
        )
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"{place} is not readable as JSON ({str(error)[:200]}); put back a copy that is whole, or "
            "write it with json.dumps"
        ) from None
    if not isinstance(found, dict):
        raise ConfigError(f"{place} is JSON but no object; write {{...}}")
    return found


def _npz_bytes(numbers: Mapping[str, NDArray[np.float64]], texts: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    arrays: dict[str, NDArray[Any]] = {
        name: np.asarray(array, dtype="<f8") for name, array in numbers.items()
    }
    arrays |= {name: np.asarray(text, dtype="<U") for name, text in texts.items()}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: the bytes tell no time
            member.create_system = 3  # nor the operating system
            body = io.BytesIO()
            np.lib.format.write_array(body, array, allow_pickle=False)
            archive.writestr(member, body.getvalue())
    return out.getvalue()


def _safetensors_bytes(
    numbers: Mapping[str, NDArray[np.float64]], texts: Mapping[str, str]
) -> bytes:
    header: dict[str, Any] = {"__metadata__": dict(texts)}
    body = b""
    for name, array in numbers.items():
        data = np.asarray(array, dtype="<f8").tobytes()
        header[name] = {
            "dtype": "F64",
            "shape": list(array.shape),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)  # data starts aligned
    return len(head).to_bytes(8, "little") + head + body
