"""Least squares of relative errors, coefficients at least 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import nnls

from sephw.resources.features import Features


def fit(found: Sequence[Features], luts: Sequence[int]) -> dict[str, float]:
    """Coefficient by feature, from engines' features and their LUTs."""
    names = sorted({name for features in found for name in features.counts})
    rows = np.array([[f.counts.get(name, 0.0) for name in names] for f in found])
    targets = np.array(luts, float) - np.array([f.fixed for f in found])
    weights = 1 / np.maximum(np.array(luts, float), 20.0)
    scale = np.maximum(np.abs(rows * weights[:, None]).max(axis=0), 1e-12)
    solution, _ = nnls(rows * weights[:, None] / scale, targets * weights)
    return dict(zip(names, (solution / scale).tolist(), strict=True))


def predicted(features: Features, coefficients: Mapping[str, float]) -> float:
    """LUTs of an engine."""
    return features.fixed + sum(
        count * coefficients.get(name, 0.0) for name, count in features.counts.items()
    )
