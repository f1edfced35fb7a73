"""What all kinds share: the frame around one reconcile, the work queue, informers, metrics, Events."""
