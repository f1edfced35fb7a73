// What holds a pod's namespaces.
module sluice.dev/tests/cluster/pause

go 1.26.0
