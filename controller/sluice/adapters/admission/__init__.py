"""What a Kubernetes API server does to a write before it is stored, done by the embedded server itself."""

from sluice.adapters.admission.schema_admission import SchemaAdmission

__all__ = ["SchemaAdmission"]
