// Words of the page in English and Chinese. What comes from data stays as it is.
const WORDS = {
  someone: ["For someone", "为某人推荐"], why: ["Why", "为什么"], whynot: ["Why not", "为什么没有"],
  item: ["Item", "物品"], graph: ["Graph", "图谱"], live: ["Live", "运行状况"], privacy: ["Privacy", "隐私"],
  card: ["Model card", "模型说明"], skip: ["Skip to the content", "跳到内容"], screens: ["Screens", "页面"],
  theme: ["Dark or light", "深色或浅色"], language: ["中文", "English"], run: ["Run", "模型"], routes: ["All routes", "全部接口"],
  loading: ["Loading…", "载入中…"], again: ["Try again", "重试"], key: ["Key", "密钥"], useKey: ["Use this key", "使用此密钥"],
  request: ["request", "请求"], noRight: ["This needs a key with another scope.", "需要其他权限的密钥。"],
  notHere: ["This service cannot do that yet.", "此服务尚不支持。"],
  user: ["User", "用户"], userHelp: ["An id; empty for somebody new", "编号；留空表示新用户"],
  inWords: ["In words", "用文字描述"], met: ["Has met", "已接触"], addItem: ["Add an item", "添加物品"],
  recommend: ["Recommend", "推荐"], count: ["How many", "数量"], diversity: ["Diversity", "多样性"],
  more: ["More options", "更多选项"], where: ["Only items where", "仅限物品"], whereHelp: ["JSON, such as {\"year\": {\">=\": 1990}}", "JSON，例如 {\"year\": {\">=\": 1990}}"],
  seen: ["Items met before", "接触过的物品"], auto: ["as usual", "默认"], hide: ["hidden", "隐藏"], show: ["shown", "显示"],
  nothing: ["Nothing can be recommended: no candidate is left.", "没有可推荐的：已无候选。"],
  events: ["events read", "条事件"], unknown: ["unknown", "未知"], hidden: ["Left out", "未列入"],
  newHere: ["new here", "新出现"], was: ["was", "原为"], like: ["More like this", "更多此类"], dislike: ["Less like this", "减少此类"],
  details: ["Details", "详情"], remove: ["Remove", "移除"], stars: ["stars expected", "预期评分"], pinned: ["pinned", "置顶"],
  shares: ["Where the score comes from", "得分来源"], noReason: ["No path in the graph joins this to what is known.", "图谱中没有相连的路径。"],
  explain: ["Explain", "解释"], words: ["Words", "文字"], picture: ["Picture", "图示"], statement: ["Cypher", "Cypher"], copy: ["Copy", "复制"], copied: ["Copied", "已复制"],
  weight: ["weight", "权重"], whatIf: ["What if?", "假如？"], without: ["Without", "去掉"], compare: ["Remove this and see", "去掉再看"],
  before: ["Before", "之前"], after: ["After", "之后"], rank: ["Rank", "名次"], name: ["name", "名称"], thisItem: ["this item", "此物品"], lastListed: ["last one listed", "列表最后一项"], byModels: ["Base models that hold it back", "压低它的基础模型"], byEvents: ["Events that say less for it", "支持较少的历史"], itHas: ["What the last one has", "最后一项的理由"], pick: ["Choose a user and an item.", "请选择用户和物品。"],
  askWhyNot: ["Why is it not listed?", "为什么没有列出？"], find: ["Find an item", "查找物品"], noneFound: ["Nothing found.", "未找到。"],
  facts: ["Facts", "事实"], similar: ["Goes with", "相似物品"], noFacts: ["The graph holds no fact of this item.", "图谱中没有此物品的事实。"],
  addFact: ["Add a fact", "添加事实"], relation: ["Relation", "关系"], value: ["Value", "值"], preview: ["Preview", "预览"], save: ["Save", "保存"], takeBack: ["Take back", "撤回"],
  changedLists: ["lists would change", "个列表会变化"], entering: ["Enter lists", "进入列表"], leaving: ["Leave lists", "离开列表"], saved: ["Saved", "已保存"],
  query: ["Statement", "语句"], ask: ["Ask", "查询"], savedQueries: ["Saved questions", "常用问题"], rows: ["rows", "行"], cut: ["more rows were left out", "其余行已省略"],
  labels: ["Labels", "标签"], relations: ["Relationships", "关系"], perSecond: ["per second", "每秒"], memory: ["memory", "内存"], cold: ["cold", "冷启动"], short: ["short", "不足"],
  requests: ["requests", "请求"], faults: ["faults", "故障"], refused: ["refused", "拒绝"], answersBy: ["Model that answers", "当前模型"], canary: ["Canary", "金丝雀"],
  swap: ["Swap in", "切换"], tryIt: ["Try on a share", "部分试用"], rollback: ["Roll back", "回滚"], endCanary: ["End the canary", "结束试用"], folder: ["Folder beside the run", "同级文件夹"],
  jobs: ["Jobs", "任务"], refit: ["Train again", "重新训练"], update: ["Learn on from what was told", "用新数据继续学习"], kind: ["Work", "任务类型"], begin: ["Begin", "开始"], noJobs: ["No job yet.", "尚无任务。"], stop: ["Stop", "停止"], state: ["state", "状态"], drift: ["Drift", "漂移"], noDrift: ["Too few events have come to tell.", "新事件太少，无法判断。"], quiet: ["quiet", "平稳"], watch: ["watch", "留意"], alarm: ["alarm", "警报"],
  exportUser: ["Show all that is known", "显示全部已知内容"], forget: ["Forget this person", "遗忘此人"], forgetSure: ["All that is known of this person will be gone for good. Write the id again to go on.", "此人的全部内容将永久删除。请再次输入编号以继续。"],
  receipt: ["Receipt", "回执"], privacyAbout: ["The service keeps events by user id. Answers are kept for an hour, in memory.", "服务按用户编号保存事件。回答仅在内存中保留一小时。"], noCard: ["This run has no model card.", "此模型没有说明。"],
  items: ["items", "物品"], users: ["users", "用户"], node: ["nodes", "节点"],
};

let place = (localStorage.getItem("trefoil-language") || navigator.language || "en").startsWith("zh") ? 1 : 0;

export const t = (name) => WORDS[name]?.[place] ?? name;
export const language = () => place ? "zh" : "en";
export function turn() {
  place = 1 - place;
  localStorage.setItem("trefoil-language", language());
}
