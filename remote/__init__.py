"""Files of an object store, such as S3, that are named by URLs and read through fsspec."""
