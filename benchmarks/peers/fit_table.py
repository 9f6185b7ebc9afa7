"""Fits a pipeline over numbers and categories: `python fit_table.py FOLDER TABLE.csv TARGET`.

It is the pipeline of scikit-learn's own guide to mixed columns. Beside it goes a description of the
columns: null for a number, else the categories.
"""

import json
import sys
from pathlib import Path

import joblib
import pandas as pd  # type: ignore[import-untyped]
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

folder, data, target = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
table = pd.read_csv(data, keep_default_na=False)
x, y = table.drop(columns=target), table[target]
numbers = list(x.select_dtypes("number").columns)
texts = [column for column in x.columns if column not in numbers]
columns = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), numbers), (OneHotEncoder(), texts)
)
joblib.dump(make_pipeline(columns, LinearRegression()).fit(x, y), folder / "table.joblib")
kinds = {name: None if name in numbers else sorted(set(x[name])) for name in x.columns}
(folder / "table.json").write_text(json.dumps(kinds))
