"use strict";

// Operators that TensorFlow.js lacks. Delivered with a model that has such; load it after TensorFlow.js, before the
// model runs. It registers them with the global `tf`.

(() => {
  const area = ([top, left, bottom, right]) => Math.max(0, bottom - top) * Math.max(0, right - left);

  function overlap(one, other) {
    const both = [0, 1].map((i) => Math.max(one[i], other[i])).concat([2, 3].map((i) => Math.min(one[i], other[i])));
    const union = area(one) + area(other) - area(both);
    return union > 0 ? area(both) / union : 0;
  }

  // Corners in any order, as TensorFlow takes them.
  const sorted = ([a, b, c, d]) => [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];

  // The boxes of one class that are kept, best first; of equal scores the first anchor wins.
  function suppress(candidates, limit, threshold) {
    const kept = [];
    candidates.sort((one, other) => other.score - one.score || one.index - other.index);
    for (const candidate of candidates) {
      if (kept.length === limit) break;
      if (kept.every((box) => overlap(box.corners, candidate.corners) <= threshold)) kept.push(candidate);
    }
    return kept;
  }

  // tensorflow/core/kernels/image/non_max_suppression_op.cc: greedy for each class and picture, then the best of all.
  tf.registerOp("CombinedNonMaxSuppression", (node) => {
    const [boxes, scores, ...settings] = node.inputs;
    const [perClass, total, overlapLimit, scoreLimit] = settings.map((setting) => setting.dataSync()[0]);
    const { pad_per_class: padded = false, clip_boxes: clipped = true } = node.attrs;
    const [pictures, anchors, boxClasses] = boxes.shape;
    const classes = scores.shape[2];
    const rows = padded ? Math.min(total, perClass * classes) : total;
    const [boxData, scoreData] = [boxes.dataSync(), scores.dataSync()];
    const found = {
      boxes: new Float32Array(pictures * rows * 4),
      scores: new Float32Array(pictures * rows),
      classes: new Float32Array(pictures * rows),
      valid: new Int32Array(pictures),
    };
    for (let picture = 0; picture < pictures; picture++) {
      let best = [];
      for (let label = 0; label < classes; label++) {
        const candidates = [];
        for (let index = 0; index < anchors; index++) {
          const score = scoreData[(picture * anchors + index) * classes + label];
          if (!(score > scoreLimit)) continue;
          const start = ((picture * anchors + index) * boxClasses + (boxClasses === 1 ? 0 : label)) * 4;
          const box = Array.from(boxData.slice(start, start + 4));
          candidates.push({ score, index, label, box, corners: sorted(box) });
        }
        best = best.concat(suppress(candidates, perClass, overlapLimit));
      }
      best.sort((one, other) => other.score - one.score || one.label - other.label || one.index - other.index);
      best = best.slice(0, rows);
      found.valid[picture] = best.length;
      best.forEach(({ score, label, box }, row) => {
        const start = picture * rows + row;
        found.boxes.set(clipped ? box.map((value) => Math.min(1, Math.max(0, value))) : box, start * 4);
        found.scores[start] = score;
        found.classes[start] = label;
      });
    }
    return [
      tf.tensor3d(found.boxes, [pictures, rows, 4]),
      tf.tensor2d(found.scores, [pictures, rows]),
      tf.tensor2d(found.classes, [pictures, rows]),
      tf.tensor1d(found.valid, "int32"),
    ];
  });
})();
