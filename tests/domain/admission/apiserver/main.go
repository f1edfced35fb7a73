// Records what a real Kubernetes API server's own code makes of the cases in vectors.json: the object after pruning and
// defaulting, and the causes of a refusal. `go run . ../vectors.json` writes the answers beside the cases, which the tests
// then hold the Python admission to. No server is started.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

type vectors struct {
	Kubernetes string          `json:"kubernetes"`
	Schema     json.RawMessage `json:"schema"`
	Cases      []testCase      `json:"cases"`
}

type testCase struct {
	Name   string          `json:"name"`
	Old    json.RawMessage `json:"old,omitempty"`
	New    json.RawMessage `json:"new"`
	Object json.RawMessage `json:"object"`
	Causes []cause         `json:"causes"`
}

type cause struct {
	Field   string `json:"field"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type server struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

func main() {
	path := os.Args[1]
	text, err := os.ReadFile(path)
	must(err)
	var all vectors
	must(json.Unmarshal(text, &all))
	s := newServer(all.Schema)
	for i := range all.Cases {
		s.answer(&all.Cases[i])
	}
	must(os.WriteFile(path, onePerLine(all), 0o644))
}

// onePerLine writes each case on a line of its own, so that a change shows as the cases that it is about.
func onePerLine(all vectors) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\"kubernetes\": %q, \"schema\":\n%s,\n\"cases\": [\n", all.Kubernetes, compact(all.Schema))
	for i, c := range all.Cases {
		if i > 0 {
			out.WriteString(",\n")
		}
		out.Write(compact(c))
	}
	out.WriteString("\n]}\n")
	return out.Bytes()
}

func compact(value interface{}) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	must(encoder.Encode(value))
	return bytes.TrimSpace(out.Bytes())
}

func newServer(text []byte) *server {
	var v1 apiextensionsv1.JSONSchemaProps
	must(json.Unmarshal(text, &v1))
	var props apiextensions.JSONSchemaProps
	must(apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&v1, &props, nil))
	structural, err := schema.NewStructural(&props)
	must(err)
	validator, _, err := validation.NewSchemaValidator(&props)
	must(err)
	return &server{structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}
}

// answer does what the strategy of custom resources does, in its order.
func (s *server) answer(c *testCase) {
	object := s.read(c.New)
	var errs field.ErrorList
	var options []validation.ValidationOption
	var celOptions []cel.Option
	var old interface{}
	if c.Old != nil {
		stored := s.read(c.Old)
		old = stored
		correlated := common.NewCorrelatedObject(object, stored, &model.Structural{Structural: s.structural})
		options = append(options, validation.WithRatcheting(correlated))
		celOptions = append(celOptions, cel.WithRatcheting(correlated))
		errs = validation.ValidateCustomResourceUpdate(nil, object, stored, s.validator, options...)
	} else {
		errs = validation.ValidateCustomResource(nil, object, s.validator)
	}
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, object)...)
	if !blocked(errs) {
		found, _ := s.rules.Validate(context.Background(), nil, s.structural, object, old, celconfig.RuntimeCELCostBudget, celOptions...)
		errs = append(errs, found...)
	}
	c.Causes = []cause{}
	for _, e := range errs {
		c.Causes = append(c.Causes, cause{e.Field, string(e.Type), e.ErrorBody()})
	}
	text, err := json.Marshal(object)
	must(err)
	c.Object = text
}

func (s *server) read(text []byte) map[string]interface{} {
	object := map[string]interface{}{}
	must(utiljson.Unmarshal(text, &object))
	pruning.Prune(object, s.structural, true)
	defaulting.PruneNonNullableNullsWithoutDefaults(object, s.structural)
	defaulting.Default(object, s.structural)
	return object
}

func blocked(errs field.ErrorList) bool {
	for _, e := range errs {
		switch e.Type {
		case field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
	}
	return false
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
