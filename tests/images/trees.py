"""Tiny copies of the public data sets: their exact names, with one-pixel-high pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

KINDS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF"}

# layout -> {path: (label, patient)}
TREES: dict[str, dict[str, tuple[str, str]]] = {
    "all": {
        "Original/Benign/WBC-Benign-001.jpg": ("Benign", ""),
        "Original/Early/WBC-Malignant-Early-001.jpg": ("Early", ""),
        "Original/Pre/WBC-Malignant-Pre-001.jpg": ("Pre", ""),
        "Original/Pro/WBC-Malignant-Pro-001.jpg": ("Pro", ""),
    },
    "cnmc": {
        "fold_0/all/UID_1_10_2_all.bmp": ("all", "1"),
        "fold_0/hem/UID_H8_2_4_hem.bmp": ("hem", "H8"),
        "fold_1/all/UID_8_1_1_all.bmp": ("all", "8"),
        "fold_2/hem/UID_H30_2_1_hem.bmp": ("hem", "H30"),
    },
    "cnmc_challenge": {
        "training_data/fold_0/all/UID_1_10_2_all.bmp": ("all", "1"),
        "training_data/fold_1/hem/UID_H8_2_4_hem.bmp": ("hem", "H8"),
        "validation_data/C-NMC_test_prelim_phase_data/1.bmp": ("all", "57"),
        "validation_data/C-NMC_test_prelim_phase_data/2.bmp": ("hem", "H26"),
        "validation_data/C-NMC_test_prelim_phase_data/10.bmp": ("all", "57"),
    },
    "cnmc_preliminary": {
        "C-NMC_test_prelim_phase_data/1.bmp": ("all", "57"),
        "C-NMC_test_prelim_phase_data/2.bmp": ("hem", "H26"),
        "C-NMC_test_prelim_phase_data/10.bmp": ("all", "57"),
    },
    "allidb": {
        "ALL_IDB2/img/Im001_1.tif": ("ALL", ""),
        "ALL_IDB2/img/Im131_0.tif": ("healthy", ""),
    },
    "aml_mll": {
        "data/NPM1/AQK/image_0.tif": ("NPM1", "AQK"),
        "data/NPM1/AQK/image_1.tif": ("NPM1", "AQK"),
        "data/control/BIR/image_0.tif": ("control", "BIR"),
    },
    "manifest": {
        "a/one.png": ("NA", "P1"),
        "a/two.png": ("01", "P1"),
        "b/three.png": ("1", ""),
    },
    "synthetic_sites": {
        "Benign/synthetic-S1-P01_0000.jpg": ("Benign", "P01"),
        "Pro/synthetic-S2-P02_0001.jpg": ("Pro", "P02"),
    },
    "synthetic": {
        "Benign/synthetic-P01_0000.jpg": ("Benign", "P01"),
        "Pro/synthetic-P02_0001.jpg": ("Pro", "P02"),
    },
    "folders": {
        "Benign/Sap_013 (1).jpg": ("Benign", ""),
        "[Malignant] Pre-B/Sap_021 (3).jpg": ("[Malignant] Pre-B", ""),
        "basophil/BA_47.jpg": ("basophil", ""),
        "MYO/MYO_0001.tiff": ("MYO", ""),
        "MYO/deeper/still/MYO_0002.TIFF": ("MYO", ""),
    },
}
PRELIMINARY = (
    "Patient_ID,new_names,labels\n"
    "UID_57_29_1_all.bmp,1.bmp,1\nUID_H26_2_1_hem.bmp,2.bmp,0\nUID_57_8_4_all.bmp,10.bmp,1\n"
)
TABLES = {
    "cnmc_challenge": {"validation_data/C-NMC_test_prelim_phase_data_labels.csv": PRELIMINARY},
    "cnmc_preliminary": {"C-NMC_test_prelim_phase_data_labels.csv": PRELIMINARY},
    "aml_mll": {"metadata.csv": "patient_id,sex_1f_2m,age,bag_label\nAQK,1,50,NPM1\n"},
    "manifest": {"manifest.csv": "path,label,patient\na/one.png,NA,P1\na/two.png,01,P1\nb/three.png,1,\n"},
}


def write_image(path: Path, seed: int = 0) -> Path:
    """Write a small picture; different seeds give different bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 6, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, KINDS[path.suffix.lower()])
    path.write_bytes(stream.getvalue())
    return path


def write_tree(root: Path, layout: str) -> Path:
    """Recreate a data set below `root` and return the folder."""
    folder = root / layout
    for seed, path in enumerate(TREES[layout]):
        write_image(folder / path, seed)
    for name, text in TABLES.get(layout, {}).items():
        (folder / name).write_text(text)
    return folder
