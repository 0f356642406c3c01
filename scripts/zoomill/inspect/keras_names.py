"""What a Keras configuration may name: classes and functions that compute tensors from tensors and do nothing else.

Layers and their parts are those of tf_keras 2.21 and Keras 3.15, and what older releases called them; left out are the
ones that run Python code, load another model, or read a file.
"""

_LAYERS = """
Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention AlphaDropout Attention AugMix
AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D
BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate ContrastLimitedAdaptiveHistogramEqualization
Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D
Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose Cropping1D Cropping2D
Cropping3D CuDNNGRU CuDNNLSTM CustomScaleLayer CutMix Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout
ELU EinsumDense Embedding Equalization Flatten Functional GRU GRUCell GaussianDropout GaussianNoise
GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D
GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
GroupNormalization GroupQueryAttention HashedCrossing Hashing Identity InputLayer IntegerLookup LSTM LSTMCell
LayerNormalization LayerScale LeakyReLU LocallyConnected1D LocallyConnected2D Masking MaxNumBoundingBoxes MaxPool1D
MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum MelSpectrogram Merge Minimum MixUp Model
MultiHeadAttention Multiply Normalization PReLU Permute Pipeline RMSNormalization RNN RandAugment RandomBrightness
RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip
RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert RandomPerspective RandomPosterization
RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomWidth RandomZoom ReLU RepeatVector
Rescaling Reshape Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D SeparableConv2D SeparableConvolution1D
SeparableConvolution2D Sequential SimpleRNN SimpleRNNCell Softmax Solarization SpatialDropout1D SpatialDropout2D
SpatialDropout3D SpectralNormalization StackedRNNCells StringLookup Subtract SyncBatchNormalization TextVectorization
ThresholdedReLU TimeDistributed UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D
ZeroPadding3D
"""
LAYERS = frozenset(_LAYERS.split())

# Layers of Keras 2 that call what their configuration names; what that may be stands below.
CALLERS = frozenset(
    ("ClassMethod", "InstanceMethod", "InstanceProperty", "SlicingOpLambda", "TFOpLambda", "TensorFlowOpLayer")
)

# With a vocabulary in a file, they read it.
LOOKUPS = frozenset(("IntegerLookup", "StringLookup", "TextVectorization"))

# What layers are configured with, and metrics, which a SavedModel keeps beside them.
_PARTS = """
Constant GlorotNormal GlorotUniform HeNormal HeUniform IdentityInitializer LecunNormal LecunUniform Ones Orthogonal
OrthogonalInitializer RandomNormal RandomUniform STFT STFTInitializer TruncatedNormal VarianceScaling Zero Zeros One
Normal Uniform L1 L1L2 L2 OrthogonalRegularizer MaxNorm MinMaxNorm NonNeg RadialConstraint UnitNorm DTypePolicy
DTypePolicyMap FloatDTypePolicy GPTQDTypePolicy LossScaleOptimizer Policy PolicyV1 QuantizedDTypePolicy
QuantizedFloat8DTypePolicy AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy
CategoricalCrossentropy CategoricalHinge CosineSimilarity F1Score FBetaScore FalseNegatives FalsePositives Hinge IoU
KLDivergence LogCoshError Mean MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanMetricWrapper
MeanRelativeError MeanSquaredError MeanSquaredLogarithmicError MeanTensor OneHotIoU OneHotMeanIoU Poisson Precision
PrecisionAtRecall R2Score Recall RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity
SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SpecificityAtSensitivity
SquaredHinge Sum TopKCategoricalAccuracy TrueNegatives TruePositives CompositeTensor InputSpec TensorShape TypeSpec
__bytes__ __ellipsis__ __keras_tensor__ __numpy__ __slice__ __tensor__ __tuple__
"""

# Nodes of functional models of Keras 3 that are no layers; those that call functions are left out.
_OPERATIONS = """
Abs Absolute All AllClose Amax Amin Angle Any Append Arange Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh
Argmax Argmin Argpartition Argsort Array ArraySplit Bincount BitwiseAnd BitwiseInvert BitwiseLeftShift BitwiseNot
BitwiseOr BitwiseRightShift BitwiseXor BroadcastTo Cbrt Ceil Clip Conj Conjugate Copy Corrcoef Correlate Cos Cosh
CountNonzero Cross Cumprod Cumsum Deg2rad Diag Diagflat Diagonal Diff Digitize Divide DivideNoNan Dsplit Dstack Einsum
EmptyLike Equal Exp Exp2 ExpandDims Expm1 Fabs Flip Fliplr Flipud Floor FloorDivide Fmax Fmin Fmod Full FullLike Gcd
Geomspace GetItem Greater GreaterEqual Heaviside Histogram Hsplit Hstack Hypot I0 Imag Inner IsIn Isclose Isfinite
Isinf Isnan Isneginf Isposinf Isreal Kron Lcm Ldexp LeftShift Less LessEqual Linspace Log Log10 Log1p Log2 Logaddexp
Logaddexp2 LogicalAnd LogicalNot LogicalOr LogicalXor Logspace Matmul Max Median Meshgrid Min Mod Moveaxis NanToNum
Nanargmax Nanargmin Nancumprod Nancumsum Nanmax Nanmean Nanmedian Nanmin Nanpercentile Nanprod Nanquantile Nanstd
Nansum Nanvar Ndim Negative Nextafter Nonzero NotEqual OnesLike Outer Pad Percentile Power Prod Ptp Quantile Rad2deg
Ravel Real Reciprocal Repeat RightShift Roll Rot90 Round SearchSorted Select Sign Signbit Sin Sinc Sinh Size Slogdet
Sort Split Sqrt Square Squeeze Stack Std Swapaxes Take TakeAlongAxis Tan Tanh Tensordot Tile Trace Transpose Trapezoid
Tril Triu TrueDivide Trunc Unique UnravelIndex Vander Var Vdot View Vsplit Vstack Where ZerosLike
AdaptiveAveragePool AdaptiveMaxPool AveragePool BatchNorm CTCDecode CTCLoss Celu Conv ConvTranspose DepthToSpace
DepthwiseConv DotProductAttention Elu Fold Gelu Glu HardShrink HardSigmoid HardSilu HardTanh LayerNorm LeakyRelu
LogSigmoid LogSoftmax MaxPool Moments MultiHot Normalize OneHot PSNR Polar RMSNorm Relu Relu6 Selu SeparableConv
Sigmoid Silu SoftShrink Softplus Softsign SpaceToDepth SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink
Threshold Unfold
CDist Erf Erfc Erfinv ExtractSequences FFT FFT2 IFFT2 IRFFT ISTFT InTopK Logdet Logsumexp RFFT Rsqrt SegmentMax
SegmentMin SegmentProd SegmentReduction SegmentSum TopK ViewAsComplex ViewAsReal
Cast ConvertToTensor SaturateCast Scatter ScatterUpdate Slice SliceUpdate StopGradient Unstack
AffineTransform CropImages ElasticTransform ExtractPatches GaussianBlur HSVToRGB MapCoordinates PadImages
PerspectiveTransform RGBToGrayscale RGBToHSV Resize SSIM ScaleAndTranslate SobelEdges
Cholesky CholeskyInverse Det Eig Eigh Inv Lstsq LuFactor MatrixRank Norm Pinv Qr SVD Solve SolveTriangular Rearrange
"""
CLASSES = LAYERS.union(_PARTS.split(), _OPERATIONS.split())

# Activations, and the losses that metrics of a SavedModel measure, by the names that configurations have for them.
_FUNCTIONS = """
celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
log_softmax log_softmax_v2 mish relu relu6 selu sigmoid silu soft_shrink softmax softmax_v2 softplus softsign
sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
binary_accuracy binary_crossentropy categorical_accuracy categorical_crossentropy cosine_similarity
mean_absolute_error mean_squared_error sparse_categorical_accuracy sparse_categorical_crossentropy
sparse_top_k_categorical_accuracy top_k_categorical_accuracy
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())

_TENSORFLOW = {
    "": """
abs acos acosh add add_n argmax argmin argsort asin asinh atan atan2 atanh batch_to_space bitcast boolean_mask
broadcast_to cast clip_by_norm clip_by_value complex concat constant convert_to_tensor cos cosh cumsum depth_to_space
div div_no_nan divide dynamic_partition dynamic_stitch einsum ensure_shape equal erf exp expand_dims expm1
extract_image_patches eye fill floor floor_div floordiv floormod gather gather_nd greater greater_equal identity
identity_n is_finite is_inf is_nan is_tensor less less_equal linspace log log1p log_sigmoid logical_and logical_not
logical_or logical_xor matmul matrix_band_part maximum meshgrid minimum mod multiply negative norm not_equal one_hot
ones ones_like pad pow range rank realdiv reciprocal reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean
reduce_min reduce_prod reduce_sum repeat reshape reverse reverse_sequence reverse_v2 rint roll round rsqrt saturate_cast
scalar_mul scatter_nd searchsorted sequence_mask shape shape_n sigmoid sign sin sinh size slice sort space_to_batch
space_to_batch_nd space_to_depth split sqrt square squared_difference squeeze stack stop_gradient strided_slice
subtract tan tanh tensor_scatter_nd_add tensor_scatter_nd_max tensor_scatter_nd_min tensor_scatter_nd_sub
tensor_scatter_nd_update tensordot tile to_float to_int32 to_int64 transpose truediv truncatediv truncatemod unique
unravel_index unstack where where_v2 zeros zeros_like
""",
    "__operators__": "add eq floordiv ge getitem gt le logical_and logical_not logical_or logical_xor lt matmul mod mul"
    " ne neg pow radd rfloordiv rmul rpow rsub rtruediv sub truediv",
    "math": """
abs accumulate_n acos acosh add add_n angle argmax argmin asin asinh atan atan2 atanh bincount ceil conj cos cosh
count_nonzero cumprod cumsum cumulative_logsumexp digamma divide divide_no_nan equal erf erfc erfinv exp expm1 floor
floordiv floormod greater greater_equal igamma igammac imag in_top_k invert_permutation is_finite is_inf is_nan
l2_normalize less less_equal lgamma log log1p log_sigmoid log_softmax logical_and logical_not logical_or logical_xor
maximum minimum mod multiply multiply_no_nan negative nextafter not_equal polygamma polyval pow real reciprocal
reciprocal_no_nan reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max reduce_mean reduce_min
reduce_prod reduce_std reduce_sum reduce_variance rint round rsqrt scalar_mul segment_max segment_mean segment_min
segment_prod segment_sum sigmoid sign sin sinh softmax softplus softsign sqrt square squared_difference subtract tan
tanh top_k truediv unsorted_segment_max unsorted_segment_mean unsorted_segment_min unsorted_segment_prod
unsorted_segment_sqrt_n unsorted_segment_sum xdivy xlog1py xlogy zero_fraction
""",
    "nn": """
atrous_conv2d atrous_conv2d_transpose avg_pool avg_pool1d avg_pool2d avg_pool3d batch_normalization bias_add conv1d
conv1d_transpose conv2d conv2d_transpose conv3d conv3d_transpose conv_transpose convolution crelu depth_to_space
depthwise_conv2d depthwise_conv2d_native dilation2d dropout elu embedding_lookup erosion2d fused_batch_norm gelu
in_top_k l2_loss l2_normalize leaky_relu local_response_normalization log_softmax lrn max_pool max_pool1d max_pool2d
max_pool3d max_pool_with_argmax moments normalize_moments pool relu relu6 relu_layer selu separable_conv2d sigmoid
sigmoid_cross_entropy_with_logits silu softmax softmax_cross_entropy_with_logits
softmax_cross_entropy_with_logits_v2 softplus softsign space_to_batch space_to_depth
sparse_softmax_cross_entropy_with_logits swish tanh top_k with_space_to_batch xw_plus_b zero_fraction
""",
    "image": """
adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_saturation central_crop combined_non_max_suppression
convert_image_dtype crop_and_resize crop_to_bounding_box extract_glimpse extract_patches flip_left_right flip_up_down
grayscale_to_rgb hsv_to_rgb image_gradients non_max_suppression non_max_suppression_overlaps
non_max_suppression_padded non_max_suppression_with_scores pad_to_bounding_box per_image_standardization resize
resize_area resize_bicubic resize_bilinear resize_image_with_crop_or_pad resize_image_with_pad resize_images
resize_nearest_neighbor resize_with_crop_or_pad resize_with_pad rgb_to_grayscale rgb_to_hsv rgb_to_yiq rgb_to_yuv
rot90 sobel_edges total_variation transpose yiq_to_rgb yuv_to_rgb
""",
    "linalg": """
adjoint band_part cholesky cholesky_solve cross det diag diag_part eigh einsum expm eye global_norm inv l2_normalize
logdet lstsq matmul matrix_rank matrix_transpose matvec norm normalize pinv qr set_diag slogdet solve sqrtm svd
tensor_diag tensor_diag_part tensordot trace triangular_solve
""",
    "signal": """
dct fft fft2d fft3d fftshift frame hamming_window hann_window idct ifft ifft2d ifft3d ifftshift inverse_stft irfft
irfft2d irfft3d linear_to_mel_weight_matrix mfccs_from_log_mel_spectrograms overlap_and_add rfft rfft2d rfft3d stft
""",
    "bitwise": "bitwise_and bitwise_or bitwise_xor invert left_shift right_shift",
    "random": "normal stateless_normal stateless_uniform uniform",
    "sparse": "add concat expand_dims from_dense reduce_max reduce_sum reorder reshape softmax to_dense transpose",
    "ragged": "boolean_mask range stack",
    "dtypes": "cast complex saturate_cast",
    "quantization": "dequantize fake_quant_with_min_max_args fake_quant_with_min_max_vars quantize",
    "strings": "as_string join length lower split strip substr to_hash_bucket to_hash_bucket_fast to_number upper",
    "keras.activations": " ".join(FUNCTIONS),
    "keras.backend": """
abs all any arange argmax argmin batch_dot batch_flatten batch_normalization bias_add cast clip concatenate constant
conv1d conv2d conv2d_transpose conv3d cos cumprod cumsum depthwise_conv2d dot dropout elu equal exp expand_dims eye
flatten gather greater greater_equal hard_sigmoid identity int_shape l2_normalize less less_equal local_conv1d
local_conv2d log max maximum mean min minimum ndim not_equal one_hot ones ones_like permute_dimensions pool2d pool3d
pow prod relu repeat repeat_elements reshape resize_images resize_volumes reverse round separable_conv2d shape sigmoid
sign sin softmax softplus softsign spatial_2d_padding spatial_3d_padding sqrt square squeeze stack std stop_gradient
sum tanh temporal_padding tile transpose var zeros zeros_like
""",
}
# Functions of TensorFlow that a TFOpLambda may call, `compat.v1.` and `compat.v2.` left out before them.
TENSORFLOW = frozenset(
    f"{module}.{name}".lstrip(".") for module, names in _TENSORFLOW.items() for name in names.split()
)

# What an InstanceProperty may ask of a tensor, an InstanceMethod call of one.
_ATTRIBUTES = """
dense_shape dtype flat_values get_shape indices nested_row_splits nrows row_lengths row_splits shape to_sparse
to_tensor value_rowids values with_flat_values with_values
"""
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
