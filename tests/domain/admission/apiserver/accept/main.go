// Says whether a real Kubernetes API server would accept these CustomResourceDefinitions: structure, defaults, and above all
// what it estimates the rules to cost. `go run ./accept ../../../../crds/*.yaml` is silent when it would. No server is
// started.
package main

import (
	"context"
	"fmt"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"sigs.k8s.io/yaml"
)

func main() {
	refused := false
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		must(err)
		var v1 apiextensionsv1.CustomResourceDefinition
		must(yaml.UnmarshalStrict(text, &v1))
		apiextensionsv1.SetDefaults_CustomResourceDefinition(&v1)
		apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&v1.Spec)
		var crd apiextensions.CustomResourceDefinition
		must(apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&v1, &crd, nil))
		crd.Status.StoredVersions = []string{v1.Spec.Versions[0].Name}
		for _, e := range validation.ValidateCustomResourceDefinition(context.Background(), &crd) {
			fmt.Fprintf(os.Stderr, "%s: %s\n", path, e)
			refused = true
		}
	}
	if refused {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
