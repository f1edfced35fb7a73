"""The Launcher port on Kubernetes: segments are Jobs or pods, whose runners come to the controller for their assignment."""
