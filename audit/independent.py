"""Independent rows: facts as numbers, one row for each group of images that are not independent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_UNKNOWN = -1e9


def one_per_group(
    values: pd.Series, labels: NDArray[Any], groups: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Value and label of each class of each group: its middle number or date, or its most frequent text, as numbers."""
    import pandas as pd

    rows = pd.DataFrame({"value": as_numbers(values), "label": labels, "group": groups})
    keys = ["group", "label"]
    if not rows.duplicated(keys).any():
        return rows["value"].to_numpy(), labels
    if is_text(values):
        counts = rows.groupby([*keys, "value"]).size().reset_index(name="count")
        single = counts.sort_values("count", kind="stable").drop_duplicates(keys, keep="last")
    else:
        single = rows.groupby(keys)["value"].median().reset_index()
    return single["value"].to_numpy(), single["label"].to_numpy()


def is_text(values: pd.Series) -> bool:
    """Whether a fact is neither a number nor a date."""
    import pandas as pd

    return not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values))


def as_numbers(values: pd.Series) -> NDArray[np.float64]:
    """Texts as codes, dates as days; an unknown date is earlier than all others."""
    import pandas as pd

    if is_text(values):
        return np.unique(values.astype(str), return_inverse=True)[1].astype(np.float64)
    if pd.api.types.is_datetime64_any_dtype(values):
        return np.asarray(((values - pd.Timestamp(0)) / pd.Timedelta(days=1)).fillna(_UNKNOWN), np.float64)
    return np.asarray(values, dtype=np.float64)
