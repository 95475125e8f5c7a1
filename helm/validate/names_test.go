package main

import (
	"context"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/engine"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// cluster has one object of a release.
type cluster struct {
	dynamic.NamespaceableResourceInterface
	object, release string
}

func (c cluster) GetClientFor(string, string) (dynamic.NamespaceableResourceInterface, bool, error) {
	return c, true, nil
}

func (c cluster) Namespace(string) dynamic.ResourceInterface { return c }

func (c cluster) Get(_ context.Context, name string, _ meta.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	if name != c.object {
		return nil, apierrors.NewNotFound(schema.GroupResource{}, name)
	}
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetAnnotations(map[string]string{"meta.helm.sh/release-name": c.release})
	return object, nil
}

func TestAnUpgradeKeepsNames(t *testing.T) {
	c, err := load("../tradewind")
	if err != nil {
		t.Fatal(err)
	}
	const long = "a-release-with-a-long-name-of-words"
	for _, test := range []struct{ release, override, object, owner, fault string }{
		{"shop", "", "shop-tradewind-catalog", "shop", ""},
		{"shop-tradewind", "", "shop-tradewind-catalog", "shop-tradewind", "set it to shop-tradewind to keep them"},
		{"shop-tradewind", "shop-tradewind", "shop-tradewind-catalog", "shop-tradewind", ""},
		// It is another release's.
		{"shop-tradewind", "", "shop-tradewind-catalog", "shop", ""},
		{long, "", long + "-catalog", long, "set it to " + long + " to keep them"},
		{long, long, long + "-catalog", long, ""},
		{"sales-of-the-northern-region", "", "sales-of-the-northern-region-tradew-catalog", "sales-of-the-northern-region", "set it to sales-of-the-northern-region-tradew to keep them"},
		{long, "", "", "", "is longer than the 35 characters"},
	} {
		values := map[string]any{}
		if test.override != "" {
			values["fullnameOverride"] = test.override
		}
		top, err := inputs(c.helm, values, test.release, true)
		if err == nil {
			_, err = engine.RenderWithClientProvider(c.helm, top, cluster{object: test.object, release: test.owner})
		}
		if test.fault == "" && err != nil || test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}
