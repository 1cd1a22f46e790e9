"""The routing API: what agents' front-ends, supervisors and integrators call."""
