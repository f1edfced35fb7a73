# ruff: noqa: A005  (named after the package that is tested; imported only as tests.http)
