"""Why this answer: the ink that decided, digits that look alike, the map, what the network sees."""

from html import escape

import streamlit as st

from digitlab import explain, versions
from digitlab.charts import digit_map
from digitlab.database import Database
from digitlab.errors import DataError, StoreError
from digitlab.explain import Atlas
from digitlab.overlay import enlarged, evidence_picture
from digitlab.reading import Digit
from digitlab.recognizer import Recognizer
from digitlab.wording import percent

_SIDE = 168  # pixels of the picture of the evidence
_ALIKE = 8


def show_why(reader: Recognizer, db: Database | None, digit: Digit, key: str) -> None:
    """Everything about one digit, folded away and not computed before it is asked for."""
    folded = st.expander("Why this answer", key=f"{key}-why", on_change="rerun")
    if not folded.open:
        return
    with folded:
        _show_evidence(reader, digit)
        atlas = _atlas(reader, db)
        if atlas is None:
            _offer_atlas(reader, db, key)
        else:
            _show_alike(reader, atlas, digit, key)
        _show_stages(reader, digit)


def _show_evidence(reader: Recognizer, digit: Digit) -> None:
    found = explain.saliency(reader, digit.ink, digit.label)
    st.markdown("**Which ink decided**")
    with st.container(horizontal=True, vertical_alignment="center"):
        picture = evidence_picture(digit.ink, found.evidence, found.spot)
        st.image(picture, width=_SIDE, alt=f"The ink that speaks for {digit.label}, and against it")
        without = percent(found.without[found.answer_without])
        still = "still " if found.answer_without == digit.label else ""
        st.markdown(
            f"Blue ink speaks for **{digit.label}**, orange ink against it, grey ink hardly "
            f"matters. Without the ink in the circle it would {still}be read as "
            f"**{found.answer_without}** ({without}).",
            width=380,
        )


def _show_alike(reader: Recognizer, atlas: Atlas, digit: Digit, key: str) -> None:
    embedding = reader.classify(digit.ink[None]).embedding[0]
    st.markdown("**The most similar training digits**")
    with st.container(horizontal=True, gap="small"):
        for near in atlas.neighbours(embedding, _ALIKE):
            alt = f"A training digit labelled {near.label}"
            st.image(enlarged(near.ink, 3), width=72, caption=str(near.label), alt=alt)
    st.markdown("**Where it lies on the map of digits**")
    place = atlas.place(embedding)
    st.plotly_chart(
        digit_map(atlas.positions, atlas.labels, place),
        key=f"{key}-map",
        config={"displayModeBar": False},
        alt=f"{len(atlas.labels):,} test digits; those that the network finds alike lie together. "
        "The cross is this one.",
    )
    st.caption(
        f"{len(atlas.labels):,} digits of the MNIST test set; the network finds those alike that "
        "lie together. The cross is yours."
    )


def _show_stages(reader: Recognizer, digit: Digit) -> None:
    st.markdown("**What the network sees**")
    for number, stage in enumerate(explain.stages(reader, digit.ink), 1):
        st.caption(
            f"Stage {number}: {stage.channels} maps of {stage.side}x{stage.side}, the "
            f"{len(stage.maps)} that say most."
        )
        with st.container(horizontal=True, gap="xsmall"):
            for place, picture in enumerate(stage.maps, 1):
                factor = max(1, 84 // stage.side)
                alt = escape(f"Map {place} of stage {number}")
                st.image(enlarged(picture, min(factor, 5)), width=84, alt=alt)


@st.cache_resource(show_spinner=False, max_entries=4)
def _shipped_atlas(fingerprint: str) -> Atlas | None:
    """The committed atlas, if it is that of the network with this fingerprint."""
    try:
        atlas = Atlas.load()
    except DataError:
        return None
    return atlas if atlas.fingerprint == fingerprint else None


@st.cache_resource(show_spinner=False, max_entries=4)
def _stored_atlas(_db: Database, version: int, fingerprint: str, _renewed: int) -> Atlas | None:
    kept = versions.evaluation(_db, version, "atlas")
    return Atlas.of(fingerprint, kept) if kept else None


def _atlas(reader: Recognizer, db: Database | None) -> Atlas | None:
    """The atlas of the version that reads, if there is one."""
    found = _shipped_atlas(reader.fingerprint)
    if found is None and db is not None and reader.version.isdigit():
        renewed = st.session_state.get("atlas-renewed", 0)
        found = _stored_atlas(db, int(reader.version), reader.fingerprint, renewed)
    return found


def _offer_atlas(reader: Recognizer, db: Database | None, key: str) -> None:
    """A version that was trained here has no map yet: making it takes some seconds."""
    st.caption(
        f"The similar digits and the map of version {reader.version} have not been made yet. It "
        "takes about half a minute, once."
    )
    if db is None or not st.button("Make them", key=f"{key}-atlas"):
        return
    bar = st.progress(0.0)
    atlas = explain.make_atlas(reader, lambda share, what: bar.progress(share, what))
    bar.empty()
    try:
        versions.save_evaluation(db, int(reader.version), "atlas", atlas.arrays())
    except StoreError as error:
        st.error(f"They could not be kept. {error}")
        return
    st.session_state["atlas-renewed"] = st.session_state.get("atlas-renewed", 0) + 1
    st.rerun(scope="fragment")
