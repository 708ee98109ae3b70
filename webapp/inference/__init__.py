"""Pictures judged for programs, agents and people: who may, what was used, what is served."""
