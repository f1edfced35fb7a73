"""The run state machine: a plan, a history, and what to do next. Shared by runner, controller and ``sluice test``.

How a run is driven, by whatever drives it::

    plan = compile_plan(definition, level)               # once per version; PlanError if it has no order
    state = RunState.resume(plan, given, history)        # fold; attempts that were in flight start again
    step = advance(plan, state, now)                     # -> Advance(events, commands); events are applied already
    # append step.events, then act on step.commands:
    #   StartStep    begin(plan, state, command, now) -> Beginning(events, work); work is None if a template failed,
    #                and with apart the step is handed over to a pod of its own, whose end comes from outside
    #   CancelSteps  stop these attempts; each then ends as Failed with the command's reason. Repeated until they end.
    #                What was handed over: record StopRequested, the end comes from outside
    #   WakeAt       call advance again at that time, even if nothing happens
    #   Wait         nothing is in flight: the segment may close
    #   EndRun       append command.event(now) last
    # an attempt ended: event = conclude(plan, state, name, body, now); state.apply(event); append it; advance again

`simulation` plays whole runs with a callable in place of steps, `report` tells how a run went, and `replay` what a new
run takes over from an earlier one. ``decide`` is pure: the same plan, state and time give the same commands. ``advance``
and ``begin`` are in `driver`, ``conclude`` is in `attempts`. Nothing here reads a clock.
"""
