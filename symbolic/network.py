"""Drift networks: what they compute, and the file that holds one.

    f(r, A[, t]) = relu(out − ξ [+ relu((r − clip(r, 1−ε, 1+ε))·A)])
    out = W_last · act(… act(W_0 · features(r, A[, t])))

No layer has a bias. A file is `.npz` or `.safetensors` with arrays `layer_0` (inputs × hidden),
`layer_1`, …, the last (hidden × 1), and the text `card` (in safetensors an entry of the
metadata), a JSON object with `schema`, `kind`, `features`, `activation`, `xi`, `ppo_epsilon`,
`training` and, where it was written by this module, `weights`, the SHA-256 of the layers, by which a
damaged file is known. Features are formulas in r, A and t.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbolic.arrays import Decimal, read_arrays, read_json, write_arrays
from symbolic.cards import MAX_CARD, checked_layers, digest, plain
from symbolic.errors import ConfigError, FormulaError
from symbolic.expression import Expression, Number, number
from symbolic.numeric import evaluate
from symbolic.parser import parse
from symbolic.text import decimal
from symbolic.tokens import MAX_DIGITS, MAX_EXPONENT

SCHEMA = "mirrordrift/network/1"
ACTIVATIONS = ("tanh", "relu")
MAX_FEATURES = 256
_LARGEST = 10**300


@dataclass(frozen=True, kw_only=True, eq=False)
class DriftNetwork:
    """A drift as a network without biases; equal content has equal `content_hash`.

    Raises ConfigError, naming the field, its rule and the remedy.
    """

    layers: tuple[NDArray[np.float64], ...]
    """Finite weights: `[features, hidden]`, `[hidden, hidden]`, …, `[hidden, 1]`."""
    features: tuple[Expression, ...]
    """The inputs, as formulas in r, A and t."""
    activation: str = "tanh"
    """`tanh` or `relu`, after every layer but the last."""
    xi: Fraction
    """ξ, a decimal, taken from the output before the outer relu."""
    ppo_epsilon: Fraction | None = None
    """ε of PPO's clipping term inside the outer relu, a decimal; None without the term."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """How it was trained, for the reader; JSON."""
    kind: str = "drift"

    def __post_init__(self) -> None:
        if self.kind != "drift":
            raise ConfigError(f"kind={self.kind!r:.40} is no drift network; set kind to 'drift'")
        if self.activation not in ACTIVATIONS:
            raise ConfigError(
                f"activation={self.activation!r:.40} is unknown; use one of {', '.join(ACTIVATIONS)}"
            )
        if not 1 <= len(self.features) <= MAX_FEATURES:
            raise ConfigError(
                f"features has {len(self.features)} entries; give between 1 and {MAX_FEATURES} formulas"
            )
        for i, feature in enumerate(self.features):
            if not isinstance(feature, Expression):
                raise ConfigError(
                    f"features[{i}]={feature!r:.40} is {type(feature).__name__}; give parse(...) of it"
                )
        for name, value in (("xi", self.xi), ("ppo_epsilon", self.ppo_epsilon)):
            if value is not None and not isinstance(value, (int, Fraction)):
                raise ConfigError(
                    f"{name}={value!r:.40} is {type(value).__name__}; give Fraction('{value!s:.40}')"
                )
            if value is not None and not isinstance(number(abs(value)), Number):
                raise ConfigError(f"{name}={value} is no finite decimal; round it")
            if value is not None and abs(value) > _LARGEST:
                raise ConfigError(f"{name} is beyond 1e300; float64 could not hold it")
        object.__setattr__(self, "layers", checked_layers(self.layers, len(self.features)))

    @property
    def uses_progress(self) -> bool:
        """Whether a feature contains t."""
        return any("t" in feature.symbols for feature in self.features)

    @property
    def card(self) -> str:
        """The JSON text of the card; the same for the same content."""
        fields = {
            "schema": json.dumps(SCHEMA),
            "kind": json.dumps(self.kind),
            "features": json.dumps([str(feature) for feature in self.features]),
            "activation": json.dumps(self.activation),
            "xi": signed_decimal(self.xi),
            "ppo_epsilon": "null" if self.ppo_epsilon is None else signed_decimal(self.ppo_epsilon),
            "weights": json.dumps(digest(self.layers)),
            "training": json.dumps(dict(self.training), sort_keys=True, allow_nan=False),
        }
        return "{" + ", ".join(f'"{name}": {text}' for name, text in fields.items()) + "}"

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the card and the weights, as `sha256:…`; the same in either file format."""
        return f"sha256:{hashlib.sha256(self.card.encode()).hexdigest()}"


def load_network(path: str | Path) -> DriftNetwork:
    """Read a network from `.npz` or `.safetensors`; nothing in the file is unpickled or evaluated.

    Raises ConfigError that names the file, the rule it breaks and the remedy.
    """
    arrays, texts = read_arrays(path)
    if "card" not in texts:
        raise ConfigError(
            f"{path}: the text 'card' is missing; store the JSON card beside the layers"
        )
    names = [f"layer_{i}" for i in range(len(arrays))]
    if sorted(names) != sorted(arrays):
        wrong = ", ".join(sorted(name[:40] for name in set(arrays) - set(names))) or "none"
        raise ConfigError(
            f"{path}: arrays must be layer_0, layer_1, … without gaps or others (found: {wrong}); rename them"
        )
    try:
        return _from_card(texts["card"], tuple(arrays[name] for name in names))
    except (ConfigError, FormulaError) as error:
        raise ConfigError(f"{path}: {error}") from None


def save_network(path: str | Path, network: DriftNetwork) -> None:
    """Write a `.npz` or `.safetensors` file atomically; the same network gives the same bytes.

    Raises ConfigError for another suffix and OSError if the folder cannot be written.
    """
    layers = {f"layer_{i}": layer for i, layer in enumerate(network.layers)}
    write_arrays(path, layers, {"card": network.card})


def evaluate_network(
    network: DriftNetwork, r: ArrayLike, A: ArrayLike, t: ArrayLike | None = None
) -> NDArray[np.float64]:
    """f(r, A[, t]) in float64, over arrays broadcast together; nan where a feature is undefined.

    Features that overflow give inf or nan, without warnings.
    Raises ConfigError if a feature needs t and none is given.
    """
    if t is None and network.uses_progress:
        raise ConfigError("t is missing but a feature contains it; pass the training progress t")
    values = {"r": r, "A": A} if t is None else {"r": r, "A": A, "t": t}
    arrays = dict(
        zip(
            values,
            np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in values.values())),
            strict=True,
        )
    )
    ratio, advantage = arrays["r"], arrays["A"]
    inputs = [
        np.broadcast_to(evaluate(feature, arrays), ratio.shape) for feature in network.features
    ]
    with np.errstate(all="ignore"):
        return np.asarray(output(network, np, network.layers, inputs, ratio, advantage))


def output(
    network: DriftNetwork, xp: Any, layers: Sequence[Any], inputs: Sequence[Any], ratio: Any, A: Any
) -> Any:
    """f from the values of the features, on arrays of `xp` (NumPy or `symbolic.jax_arrays`).

    `layers` are weights in the place of the network's own, which may be traced by JAX.
    """
    hidden = xp.stack(inputs, axis=-1)
    for layer in layers[:-1]:
        hidden = hidden @ layer
        hidden = xp.tanh(hidden) if network.activation == "tanh" else xp.maximum(hidden, 0.0)
    out = (hidden @ layers[-1])[..., 0] - float(network.xi)
    if network.ppo_epsilon is not None:
        low, high = float(1 - network.ppo_epsilon), float(1 + network.ppo_epsilon)
        out = out + xp.maximum((ratio - xp.minimum(xp.maximum(ratio, low), high)) * A, 0.0)
    return xp.maximum(out, 0.0)


def signed_decimal(value: Fraction) -> str:
    """The exact decimal of a rational with a finite expansion, as JSON writes numbers."""
    return f"-{decimal(-value)}" if value < 0 else decimal(value)


def _from_card(text: str, layers: tuple[NDArray[np.float64], ...]) -> DriftNetwork:
    if len(text) > MAX_CARD:
        raise ConfigError(
            f"the card has {len(text)} characters, more than {MAX_CARD}; shorten 'training'"
        )
    card = read_json(text, "the card")
    if card.get("schema") != SCHEMA:
        raise ConfigError(
            f"card: schema={card.get('schema')!r:.60} is unknown; this version reads '{SCHEMA}'"
        )
    for name in ("kind", "features", "activation", "xi"):
        if name not in card:
            raise ConfigError(f"card: '{name}' is missing; add it")
    features, training = card["features"], card.get("training", {})
    if not isinstance(features, list) or not all(isinstance(feature, str) for feature in features):
        raise ConfigError('card: features must be a list of formulas; write ["1-r", "log(r)", ...]')
    if len(features) > MAX_FEATURES:
        raise ConfigError(
            f"card: {len(features)} features, more than {MAX_FEATURES}; is it the right file?"
        )
    if not isinstance(training, dict):
        raise ConfigError('card: training must be an object; write {} or {"env": ...}')
    epsilon = card.get("ppo_epsilon")
    network = DriftNetwork(
        layers=layers,
        features=tuple(_feature(i, feature) for i, feature in enumerate(features)),
        activation=card["activation"],
        xi=_rational("xi", card["xi"]),
        ppo_epsilon=None if epsilon is None else _rational("ppo_epsilon", epsilon),
        training=plain(training),
        kind=card["kind"],
    )
    if card.get("weights", digest(network.layers)) != digest(network.layers):
        raise ConfigError(
            "card: weights is the hash of other layers: the file was damaged or changed; get it "
            "again, or remove 'weights' from its card if that was on purpose"
        )
    return network


def _feature(index: int, text: str) -> Expression:
    try:
        return parse(text, declare="a feature is a formula in r, A and t alone")
    except FormulaError as error:
        raise ConfigError(f"card: feature {index} does not parse\n{error}") from None


def _rational(name: str, value: object) -> Fraction:
    """A JSON number as the rational its digits say; bounded before it is expanded."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**MAX_DIGITS:
        return Fraction(value)
    if isinstance(value, Decimal):
        mantissa, _, exponent = value.lower().partition("e")
        if (
            len(mantissa) <= MAX_DIGITS
            and len(exponent) <= 5
            and abs(int(exponent or 0)) <= MAX_EXPONENT
        ):
            return Fraction(value)
    raise ConfigError(
        f"card: {name}={value!r:.60} must be a JSON number of at most {MAX_DIGITS} digits and "
        f"exponent {MAX_EXPONENT}; write for example 1e-6"
    )
