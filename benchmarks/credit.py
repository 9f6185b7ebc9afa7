"""A synthetic table shaped like the German credit data: 1,000 rows, 7 numbers, 13 categories."""

import csv
from pathlib import Path

import numpy as np

TARGET = "credit_amount"
ROWS = 1_000
NUMBERS = ("duration", "rate", "residence", "age", "credits", "liable", "income")
CATEGORIES = {
    "account": 4,
    "history": 5,
    "purpose": 10,
    "savings": 5,
    "employment": 5,
    "status": 4,
    "guarantors": 3,
    "property": 4,
    "plans": 3,
    "housing": 3,
    "job": 4,
    "telephone": 2,
    "foreign": 2,
}


def write(path: Path) -> None:
    """Write the table; the same at every call."""
    seed = np.random.default_rng(7)
    numbers = {name: seed.integers(1, 75, ROWS) for name in NUMBERS}
    choices = {name: seed.integers(0, count, ROWS) for name, count in CATEGORIES.items()}
    target = 2_000 + 300 * seed.normal(size=ROWS)
    for column in (*numbers.values(), *choices.values()):
        target += seed.normal(scale=30) * column
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*numbers, *choices, TARGET])
        for row in range(ROWS):
            values = [int(column[row]) for column in numbers.values()]
            texts = [f"{name}: kind number {codes[row]}" for name, codes in choices.items()]
            writer.writerow([*values, *texts, round(float(target[row]))])
