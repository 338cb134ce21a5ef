"""Networks for mirror maps: what they compute, and the file that holds one.

    g(x[, t]) = Σ_j k_j · unit_j(c_j·x) + skip·s(x),   c_j = w_j [+ w′_j·t]
    s(x) = log x − log(1 − x) for φ⁻¹ (`mirror-map`), log x for ψ (`psi`)

Hidden units come in nine equal groups, in the order of `UNITS`. A file is `.npz` or `.safetensors`
with `layer_0` (w, and w′ as a second row where the input x·t is used; inputs × hidden), `layer_1`
(k; hidden × 1), `skip` (1 × 1) and the text `card`: `schema`, `kind` (`mirror-map` or `psi`),
`features` (`["x"]` or `["x", "x*t"]`), `mode`, `weights` (the SHA-256 of the arrays) and `training`.

Source: Alfano et al., Learning Loss Landscapes in Preference Optimization, section 3.1. There the
ninth unit is infinite from c·x = 1 on and the sixth at c = 0, so such a network need not be a
potential. Mode `paper` keeps that form; mode `potential` allows only weights by which it is one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbolic.arrays import read_arrays, read_json, write_arrays
from symbolic.cards import MAX_CARD, checked_layers, digest, plain
from symbolic.errors import ConfigError
from symbolic.network import SCHEMA

KINDS = ("mirror-map", "psi")
MODES = ("paper", "potential")
FEATURES = (("x",), ("x", "x*t"))


@dataclass(frozen=True)
class Unit:
    """An activation on y = c·x > 0."""

    name: str
    formula: str
    """In y, as the paper has it."""
    of_log: Callable[[Any, Any], Any]
    """The array module and log y in, the value out: x is known by its logarithm alone."""
    source: str
    """The same in exported code (`symbolic.export.backends`)."""
    slope: Callable[[Any], Any]
    """y·unit′(y) on NumPy arrays of y; y moves with log x as x does."""
    sinks: bool = False
    """Whether it goes to −∞ as y → 0."""
    ends_at_one: bool = False
    """Whether it is infinite from y = 1 on."""


UNITS: tuple[Unit, ...] = (
    Unit("identity", "y", lambda xp, u: xp.exp(u), "{xp}.exp({0})", lambda y: y),
    Unit(
        "square", "relu(y)**2", lambda xp, u: xp.exp(2 * u), "{xp}.exp(2 * {0})",
        lambda y: 2 * y**2,
    ),
    Unit("cube", "y**3", lambda xp, u: xp.exp(3 * u), "{xp}.exp(3 * {0})", lambda y: 3 * y**3),
    Unit(
        "square-root", "sqrt(relu(y))", lambda xp, u: xp.exp(u / 2), "{xp}.exp({0} / 2)",
        lambda y: np.sqrt(y) / 2,
    ),
    Unit(
        "cube-root", "relu(y)**(1/3)", lambda xp, u: xp.exp(u / 3), "{xp}.exp({0} / 3)",
        lambda y: np.cbrt(y) / 3,
    ),
    Unit("logarithm", "log(relu(y))", lambda xp, u: u, "{0}", np.ones_like, sinks=True),
    Unit(
        "exponential", "exp(y)", lambda xp, u: xp.exp(xp.exp(u)), "{xp}.exp({xp}.exp({0}))",
        lambda y: y * np.exp(y),
    ),
    Unit(
        "tanh", "tanh(y)", lambda xp, u: xp.tanh(xp.exp(u)), "{xp}.tanh({xp}.exp({0}))",
        lambda y: y / np.cosh(y) ** 2,
    ),
    Unit(
        "log-odds", "log(clip(y, 0, 1)/(1 - clip(y, 0, 1)))", lambda xp, u: log_odds(xp, u),
        "{log_odds}({0})", lambda y: np.where(y < 1, 1 / (1 - y), np.nan),
        sinks=True, ends_at_one=True,
    ),
)  # fmt: skip
"""The nine groups, in order."""


def log_odds(xp: Any, log_x: Any) -> Any:
    """log(x/(1 − x)) from log x, exact near x = 1; +inf from x = 1 on."""
    inside = log_x < 0
    kept = xp.where(inside, log_x, -1.0)
    return xp.where(inside, kept - xp.log(-xp.expm1(kept)), xp.inf)


@dataclass(frozen=True, kw_only=True, eq=False)
class MirrorNetwork:
    """A mirror map φ⁻¹ or a ψ as a network; equal content has equal `content_hash`.

    Raises ConfigError, naming the field, its rule and the remedy.
    """

    kind: str
    """`mirror-map` (φ⁻¹) or `psi`."""
    layers: tuple[NDArray[np.float64], ...]
    """w: `[1 or 2, hidden]`, and k: `[hidden, 1]`; k ≥ 0, w ≥ 0 and w + w′ ≥ 0."""
    skip: float
    """Weight ≥ 0 of log x − log(1 − x), or of log x."""
    mode: str = "potential"
    """`potential`: c > 0 for every t, c ≤ 1 in the last group, and something that goes to −∞ at 0;
    `paper`: only what the paper asks."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """How it was trained, for the reader; JSON."""

    def __post_init__(self) -> None:
        for name, known in (("kind", KINDS), ("mode", MODES)):
            value = getattr(self, name)
            if value not in known:
                raise ConfigError(f"{name}={value!r:.40} is unknown; use {' or '.join(known)}")
        if len(self.layers) != 2 or np.ndim(self.layers[0]) != 2:
            raise ConfigError(
                f"a mirror-map network has layer_0 and layer_1, not {len(self.layers)} layers; "
                "store w and k"
            )
        inputs = np.shape(self.layers[0])[0]
        if inputs not in (1, 2):
            raise ConfigError(f"layer_0 has {inputs} rows; give one for x, or two for x and x*t")
        layers = checked_layers(self.layers, inputs)
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "skip", _checked_skip(self.skip))
        if layers[0].shape[1] % len(UNITS):
            raise ConfigError(
                f"layer_0 has {layers[0].shape[1]} hidden units; {len(UNITS)} equal groups need a "
                f"multiple of {len(UNITS)}"
            )
        self._check_weights()

    def _check_weights(self) -> None:
        ends = self.factors_at_ends
        if not np.isfinite(ends).all():
            raise ConfigError("layer_0 makes a unit's factor w + w′ overflow; give smaller weights")
        if (self.layers[1] < 0).any():
            raise ConfigError(f"layer_1 holds {self.layers[1].min()}; weights of units must be ≥ 0")
        if (ends < 0).any():
            raise ConfigError(
                f"layer_0 makes a unit's factor {ends.min()} at some t; w ≥ 0 and w + w′ ≥ 0"
            )
        if self.mode == "paper":
            return
        if (ends == 0).any():
            raise ConfigError(
                "layer_0 makes a unit's factor 0 at some t, where its logarithm is −∞; mode "
                "'potential' asks w > 0 and w + w′ > 0"
            )
        last = ends[:, of_units(self.groups, "ends_at_one")].max()
        if last > 1:
            raise ConfigError(
                f"layer_0 has the factor {last} in the log-odds group, which is infinite from x = "
                f"{1 / last:.6g} on; mode 'potential' asks w ≤ 1 and w + w′ ≤ 1 there"
            )
        sinking = of_units(self.groups, "sinks")
        if self.skip == 0 and not (self.layers[1][sinking, 0] > 0).any():
            raise ConfigError(
                "skip=0 and no unit with a logarithm has weight, so nothing goes to −∞ at x = 0; "
                "mode 'potential' asks skip > 0 or such a unit"
            )

    @property
    def features(self) -> tuple[str, ...]:
        """The inputs as formulas."""
        return FEATURES[len(self.layers[0]) - 1]

    @property
    def uses_progress(self) -> bool:
        """Whether it depends on t."""
        return len(self.layers[0]) == 2

    @property
    def groups(self) -> NDArray[np.int64]:
        """The number in `UNITS` of each hidden unit, `[hidden]`."""
        return unit_groups(self.layers[0].shape[1])

    @property
    def factors_at_ends(self) -> NDArray[np.float64]:
        """The factors c at t = 0 and t = 1, `[2, hidden]`; they are linear between."""
        start = self.layers[0][0]
        with np.errstate(over="ignore"):
            return np.stack([start, start + self.layers[0][1] if self.uses_progress else start])

    @property
    def card(self) -> str:
        """The JSON text of the card; the same for the same content."""
        fields = {
            "schema": SCHEMA,
            "kind": self.kind,
            "features": list(self.features),
            "mode": self.mode,
            "weights": digest(_arrays(self.layers, self.skip)),
            "training": dict(self.training),
        }
        return json.dumps(fields, sort_keys=True, allow_nan=False)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the card and the weights, as `sha256:…`; the same in either file format."""
        return f"sha256:{hashlib.sha256(self.card.encode()).hexdigest()}"


def unit_groups(hidden: int) -> NDArray[np.int64]:
    """Which of `UNITS` each of so many hidden units is, `[hidden]`."""
    return np.repeat(np.arange(len(UNITS)), hidden // len(UNITS))


def of_units(groups: NDArray[np.int64], fact: str) -> NDArray[np.bool_]:
    """Which hidden units have a fact of `Unit` (`sinks`, `ends_at_one`), by their groups."""
    return np.array([getattr(unit, fact) for unit in UNITS])[groups]


def mirror_output(
    xp: Any, kind: str, layers: Sequence[Any], skip: Any, log_x: Any, progress: Any
) -> Any:
    """g from log x `[*n]`, on arrays of `xp` (NumPy or `symbolic.jax_arrays`).

    `layers` may be traced by JAX. `progress` broadcasts with `log_x`.
    """
    factors = layers[0][0]
    if layers[0].shape[0] == 2:
        factors = factors + layers[0][1] * xp.asarray(progress)[..., None]
    exact = xp.log(xp.where(factors > 0, factors, 1.0))
    logs = xp.where(factors > 0, exact, -xp.inf) + log_x[..., None]
    width = layers[0].shape[1] // len(UNITS)
    values = [
        unit.of_log(xp, logs[..., i * width : (i + 1) * width]) for i, unit in enumerate(UNITS)
    ]
    hidden = (xp.concatenate(values, axis=-1) @ layers[1])[..., 0]
    return hidden + skip * (log_odds(xp, log_x) if kind == "mirror-map" else log_x)


def evaluate_mirror_network(
    network: MirrorNetwork, x: ArrayLike, t: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """g(x[, t]) in float64, over arrays broadcast together; inf or nan where it is undefined."""
    points, progress = np.broadcast_arrays(np.asarray(x, float), np.asarray(t, float))
    with np.errstate(all="ignore"):
        found = mirror_output(
            np, network.kind, network.layers, network.skip, np.log(points), progress
        )
    return np.asarray(found)


def load_mirror_network(path: str | Path) -> MirrorNetwork:
    """Read a network from `.npz` or `.safetensors`; nothing in the file is unpickled or evaluated.

    Raises ConfigError that names the file, the rule it breaks and the remedy.
    """
    arrays, texts = read_arrays(path)
    missing = sorted({"layer_0", "layer_1", "skip"} - set(arrays)) + (
        [] if "card" in texts else ["card"]
    )
    extra = sorted(set(arrays) - {"layer_0", "layer_1", "skip"})
    if missing or extra:
        raise ConfigError(
            f"{path}: a mirror-map network holds layer_0, layer_1, skip and card (missing: "
            f"{', '.join(missing) or 'none'}; others: {', '.join(e[:40] for e in extra) or 'none'})"
        )
    try:
        return _from_card(texts["card"], arrays)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def save_mirror_network(path: str | Path, network: MirrorNetwork) -> None:
    """Write a `.npz` or `.safetensors` file atomically; the same network gives the same bytes.

    Raises ConfigError for another suffix and OSError if the folder cannot be written.
    """
    first, last, skip = _arrays(network.layers, network.skip)
    write_arrays(path, {"layer_0": first, "layer_1": last, "skip": skip}, {"card": network.card})


def _from_card(text: str, arrays: Mapping[str, NDArray[np.float64]]) -> MirrorNetwork:
    if len(text) > MAX_CARD:
        raise ConfigError(
            f"the card has {len(text)} characters, more than {MAX_CARD}; shorten 'training'"
        )
    card = read_json(text, "the card")
    if card.get("schema") != SCHEMA:
        raise ConfigError(
            f"card: schema={card.get('schema')!r:.60} is unknown; this version reads '{SCHEMA}'"
        )
    if arrays["skip"].size != 1:
        raise ConfigError(f"skip has shape {arrays['skip'].shape}; store one number")
    training = card.get("training", {})
    if not isinstance(training, dict):
        raise ConfigError('card: training must be an object; write {} or {"env": ...}')
    network = MirrorNetwork(
        kind=card.get("kind", ""),
        layers=(arrays["layer_0"], arrays["layer_1"]),
        skip=float(arrays["skip"].reshape(())),
        mode=card.get("mode", "paper"),
        training=plain(training),
    )
    if card.get("features", list(network.features)) != list(network.features):
        raise ConfigError(
            f"card: features={card['features']!r:.60} do not fit layer_0, whose rows are "
            f"{', '.join(network.features)}"
        )
    if card.get("weights", "") not in ("", digest(_arrays(network.layers, network.skip))):
        raise ConfigError(
            "card: weights is the hash of other arrays: the file was damaged or changed; get it "
            "again, or remove 'weights' from its card if that was on purpose"
        )
    return network


def _checked_skip(value: object) -> float:
    try:
        skip = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ConfigError(f"skip={value!r:.40} is no number; give one ≥ 0") from None
    if not 0 <= skip < float("inf"):
        raise ConfigError(f"skip={skip} must be finite and ≥ 0")
    return skip


def _arrays(layers: Sequence[NDArray[np.float64]], skip: float) -> list[NDArray[np.float64]]:
    return [*layers, np.full((1, 1), skip)]
