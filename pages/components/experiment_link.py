"""An experiment where a text makes its claim: the way to its card, and what came out of it."""

import streamlit as st

from cnnlab import experiments
from pages.components import charts, experiment_chart, experiment_runs, links


def show(name: str) -> None:
    """The question as a button that opens the card; below it, the reader's own chart."""
    experiment = experiments.experiment(name)
    found = experiment_runs.trial(experiment)
    with st.container(key=f"experiment_link_{name}"):
        st.button(
            experiment.question,
            icon=":material/science:",
            key=f"open_card.{name}",
            help="Predict what comes out, then let it run.",
            on_click=links.open_experiment,
            args=(name,),
        )
        verdict = None if found.is_active else found.verdict()
        if verdict is None:
            return
        st.caption(f"Your runs. {verdict.sentence}")
        st.plotly_chart(
            experiment_chart.answer(experiment, experiment.by_arm(found.outcomes())),
            config=charts.PLAIN,
            key=f"small_chart.{name}",
            alt=f"Your runs of the experiment: {experiment.question}",
        )
