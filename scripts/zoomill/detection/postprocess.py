"""TFLite_Detection_PostProcess: its options, and reading them back from the files that were made."""

import dataclasses

import numpy as np

from zoomill.errors import UserError

OP = "TFLite_Detection_PostProcess"
# What the op takes for options that old exporters did not write: tensorflow/lite/kernels/detection_postprocess.cc.
_ABSENT = {"use_regular_nms": False, "detections_per_class": 100}
_INT32 = 2**31 - 1


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of one TFLite_Detection_PostProcess op.

    Attributes:
        max_detections: rows of the outputs, at least 1.
        max_classes_per_detection: best classes that fast NMS reports for each box; multiplies the rows.
        detections_per_class: boxes kept for a class by regular NMS.
        use_regular_nms: NMS for each class (regular) instead of one over all classes (fast).
        nms_score_threshold: lowest score, 0 to 1.
        nms_iou_threshold: overlap (IoU) above which the box with the lower score is dropped, 0 to 1.
        num_classes: classes without the background.
        y_scale, x_scale, h_scale, w_scale: the box coder's scales.
    """

    max_detections: int
    max_classes_per_detection: int
    detections_per_class: int
    use_regular_nms: bool
    nms_score_threshold: float
    nms_iou_threshold: float
    num_classes: int
    y_scale: float
    x_scale: float
    h_scale: float
    w_scale: float

    def __post_init__(self):
        """Round the floats to float32, the type in which a graph and a .tflite file keep them.

        Raises:
            UserError: for several classes per detection with regular NMS, and for more of them than there are
                classes: the op leaves the additional rows uninitialised.
        """
        for field in dataclasses.fields(self):
            value = field.type(getattr(self, field.name))
            object.__setattr__(self, field.name, float(np.float32(value)) if field.type is float else value)
        if self.use_regular_nms and self.max_classes_per_detection > 1:
            raise UserError(
                f"max_classes_per_detection {self.max_classes_per_detection} has no meaning with use_regular_nms; "
                "set one of them otherwise"
            )
        if self.max_classes_per_detection > self.num_classes:
            raise UserError(
                f"max_classes_per_detection {self.max_classes_per_detection} is more than "
                f"num_classes {self.num_classes}"
            )

    @classmethod
    def from_pipeline(cls, ssd):
        """Return what the ``ssd`` message of a pipeline.config asks for.

        Unlike the original exporter, which takes only the two thresholds from here and returns 10 detections,
        the maxima of ``batch_non_max_suppression`` count too.
        """
        nms = ssd.post_processing.batch_non_max_suppression
        coder = ssd.box_coder.faster_rcnn_box_coder
        return cls(
            max_detections=nms.max_total_detections,
            max_classes_per_detection=1,
            detections_per_class=nms.max_detections_per_class,
            use_regular_nms=True,
            nms_score_threshold=nms.score_threshold,
            nms_iou_threshold=nms.iou_threshold,
            num_classes=ssd.num_classes,
            y_scale=coder.y_scale,
            x_scale=coder.x_scale,
            h_scale=coder.height_scale,
            w_scale=coder.width_scale,
        )

    @classmethod
    def from_attributes(cls, attributes):
        """Read the options from the ``attr`` map of a GraphDef node."""
        field_of = {int: "i", bool: "b", float: "f"}
        return cls(**{f.name: getattr(attributes[f.name], field_of[f.type]) for f in dataclasses.fields(cls)})

    @classmethod
    def from_custom_options(cls, data):
        """Read the options from the custom options (a flexbuffer map) of a .tflite operator.

        Raises:
            UserError: when they are damaged, or one is not there.
        """
        from flatbuffers import flexbuffers

        try:
            stored = {**_ABSENT, **flexbuffers.Loads(bytes(data))}
            told = {f.name: f.type(stored[f.name]) for f in dataclasses.fields(cls)}
        except Exception as error:  # flexbuffers reads wherever damaged bytes point to
            raise UserError(f"the options of its {OP} cannot be read: {error!r}") from error
        return cls(**told)

    def to_custom_options(self):
        """Return the flexbuffer map as the MLIR converter writes it: sorted keys, no quantisation hints."""
        from flatbuffers import flexbuffers

        return flexbuffers.Dumps(dict(sorted(dataclasses.asdict(self).items())))

    def differences(self, found):
        """Return one phrase for each option of ``found`` that is not as asked for in ``self``."""
        return [
            f"{name} is {getattr(found, name)}, asked for {wanted}"
            for name, wanted in dataclasses.asdict(self).items()
            if getattr(found, name) != wanted
        ]


def check(options, changes, anchors, columns):
    """Refuse options that a file's op cannot have, or that would change nothing.

    Args:
        options: :class:`Options` as they would be.
        changes: names of those that were asked for.
        anchors, columns: how many boxes the op chooses from, and columns of class scores it is given.

    Raises:
        UserError: with a phrase for each.
    """
    wrong = []
    for name, value in vars(options).items():
        least = "at least" if name in ("use_regular_nms", "nms_score_threshold") else "above"
        most = 1 if name in ("nms_score_threshold", "nms_iou_threshold") else _INT32
        if not (0 < value <= most or (value == 0 and least == "at least")):
            wrong.append(f"{name} {value:g} is not {least} 0 and at most {most}")
    if options.max_detections > anchors:
        wrong.append(f"max_detections {options.max_detections} is more than the {anchors} boxes there are")
    # With another number of columns the op refuses to start: one of them may be the background's.
    if options.num_classes not in (columns, columns - 1):
        wrong.append(f"num_classes {options.num_classes} does not fit the {columns} columns of its scores")
    if "detections_per_class" in changes and not options.use_regular_nms:
        wrong.append("detections_per_class has no meaning with fast NMS; ask for regular NMS too")
    if wrong:
        raise UserError("; ".join(wrong))
