"""CustomResourceDefinitions and admission policies, generated from the models; at run time, the schemas and columns in them."""

from sluice.crds.bundle import printer_columns, schemas

__all__ = ["printer_columns", "schemas"]
