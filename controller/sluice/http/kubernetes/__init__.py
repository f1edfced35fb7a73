"""The Kubernetes protocol over HTTP, so that kubectl and every Kubernetes client work where there is no cluster."""
