// All routes.
import type { Api, ApiContext } from "../context";
import { addConversationRoutes } from "./conversations";
import { addCustomerRoutes } from "./customers";
import { addExportRoutes } from "./exports";
import { addLiveRoutes } from "./live";
import { addOperationRoutes } from "./operation";
import { addPeopleRoutes } from "./people";
import { addPrivacyRoutes } from "./privacy";
import { addSearchRoutes } from "./search";

export function addRoutes(app: Api, context: ApiContext): void {
  addPeopleRoutes(app, context);
  addCustomerRoutes(app, context);
  addConversationRoutes(app, context);
  addSearchRoutes(app, context);
  addLiveRoutes(app, context);
  addPrivacyRoutes(app, context);
  addExportRoutes(app, context);
  addOperationRoutes(app, context);
}
