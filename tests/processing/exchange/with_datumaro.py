"""What Datumaro itself makes of a set, as JSON; run by an interpreter that has it."""

import json
import sys

import datumaro  # it has an environment of its own


def told(annotation: datumaro.Annotation) -> dict[str, object]:
    match annotation.type.name:
        case "bbox":
            place = annotation.get_bbox()
        case "polygon":
            place = annotation.points
        case _:
            place = []
    kind = annotation.type.name
    return {"kind": kind, "label": annotation.label, "place": [float(each) for each in place]}


def main(place: str, format_: str) -> None:
    dataset = datumaro.Dataset.import_from(place, format_)
    labels = dataset.categories()[datumaro.AnnotationType.label]
    items = {
        item.id: {
            "size": item.media_as(datumaro.Image).size,
            "number": item.attributes.get("id"),
            "annotations": [told(each) for each in item.annotations],
        }
        for item in dataset
    }
    json.dump({"labels": [label.name for label in labels], "items": items}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
